/** PulseAudio's wire encoding of values: each is a type tag and its bytes, big-endian (pulsecore/tagstruct.h). */
import { OrgoError } from '../../audio/errors';

const TAG = {
  string: 0x74, // t
  nullString: 0x4e, // N
  u32: 0x4c, // L
  u8: 0x42, // B
  u64: 0x52, // R
  s64: 0x72, // r
  sampleSpec: 0x61, // a
  arbitrary: 0x78, // x
  true: 0x31, // 1
  false: 0x30, // 0
  timeval: 0x54, // T
  usec: 0x55, // U
  channelMap: 0x6d, // m
  cvolume: 0x76, // v
  proplist: 0x50, // P
  volume: 0x56, // V
  formatInfo: 0x66, // f
} as const;

/** PA_CHANNELS_MAX */
const MAX_CHANNELS = 32;

/** How samples are laid out on the wire. `format` is PulseAudio's number: s16le is 3, float32le 5. */
export interface SampleSpec {
  readonly format: number;
  readonly channels: number;
  /** Hz */
  readonly rate: number;
}

/** Properties, with their values as they are on the wire: text ends with a NUL. */
export type PropList = ReadonlyMap<string, Buffer>;

export interface FormatInfo {
  /** PA_ENCODING_PCM is 1. */
  readonly encoding: number;
  readonly properties: PropList;
}

export interface Timeval {
  readonly seconds: number;
  readonly micros: number;
}

/** Writes values one after another; {@link done} returns the bytes. */
export class TagWriter {
  private readonly parts: Buffer[] = [];

  u32(value: number): this {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(TAG.u32);
    bytes.writeUInt32BE(value, 1);
    return this.add(bytes);
  }

  u8(value: number): this {
    return this.add(Buffer.from([TAG.u8, value]));
  }

  u64(value: bigint): this {
    return this.wide(TAG.u64, value);
  }

  /** Microseconds. */
  usec(value: bigint): this {
    return this.wide(TAG.usec, value);
  }

  s64(value: bigint): this {
    return this.wide(TAG.s64, BigInt.asUintN(64, value));
  }

  boolean(value: boolean): this {
    return this.add(Buffer.from([value ? TAG.true : TAG.false]));
  }

  /** @param value must not hold a NUL */
  string(value: string | null): this {
    if (value === null) return this.add(Buffer.from([TAG.nullString]));
    return this.add(Buffer.from([TAG.string]), Buffer.from(value, 'utf8'), Buffer.from([0]));
  }

  arbitrary(value: Buffer): this {
    const head = Buffer.alloc(5);
    head.writeUInt8(TAG.arbitrary);
    head.writeUInt32BE(value.length, 1);
    return this.add(head, value);
  }

  sampleSpec({ format, channels, rate }: SampleSpec): this {
    const bytes = Buffer.from([TAG.sampleSpec, format, channels, 0, 0, 0, 0]);
    bytes.writeUInt32BE(rate, 3);
    return this.add(bytes);
  }

  /** @param positions one of PulseAudio's channel positions for each channel */
  channelMap(positions: readonly number[]): this {
    return this.add(Buffer.from([TAG.channelMap, positions.length, ...positions]));
  }

  /** @param volumes one for each channel; 65536 is full */
  cvolume(volumes: readonly number[]): this {
    const bytes = Buffer.alloc(2 + volumes.length * 4);
    bytes.writeUInt8(TAG.cvolume);
    bytes.writeUInt8(volumes.length, 1);
    volumes.forEach((volume, channel) => bytes.writeUInt32BE(volume, 2 + channel * 4));
    return this.add(bytes);
  }

  volume(value: number): this {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(TAG.volume);
    bytes.writeUInt32BE(value, 1);
    return this.add(bytes);
  }

  timeval({ seconds, micros }: Timeval): this {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(TAG.timeval);
    bytes.writeUInt32BE(seconds, 1);
    bytes.writeUInt32BE(micros, 5);
    return this.add(bytes);
  }

  proplist(properties: PropList): this {
    this.add(Buffer.from([TAG.proplist]));
    for (const [key, value] of properties) this.string(key).u32(value.length).arbitrary(value);
    return this.string(null);
  }

  formatInfo({ encoding, properties }: FormatInfo): this {
    return this.add(Buffer.from([TAG.formatInfo]))
      .u8(encoding)
      .proplist(properties);
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }

  private wide(tag: number, value: bigint): this {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(tag);
    bytes.writeBigUInt64BE(value, 1);
    return this.add(bytes);
  }

  private add(...parts: Buffer[]): this {
    this.parts.push(...parts);
    return this;
  }
}

/**
 * Reads values in the order in which they were written.
 * @throws {OrgoError} ORGO_SOUND_SERVER_FAILED when the next value is of another type, or cut off
 */
export class TagReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Whether all was read. */
  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  u32(): number {
    this.expect(TAG.u32, 'u32');
    return this.rawU32();
  }

  u8(): number {
    this.expect(TAG.u8, 'u8');
    return this.rawU8();
  }

  u64(): bigint {
    this.expect(TAG.u64, 'u64');
    return this.take(8).readBigUInt64BE();
  }

  usec(): bigint {
    this.expect(TAG.usec, 'usec');
    return this.take(8).readBigUInt64BE();
  }

  s64(): bigint {
    this.expect(TAG.s64, 's64');
    return this.take(8).readBigInt64BE();
  }

  boolean(): boolean {
    const tag = this.rawU8();
    if (tag === TAG.true) return true;
    if (tag === TAG.false) return false;
    throw malformed(`tag ${tag} where a boolean was expected`);
  }

  string(): string | null {
    const tag = this.rawU8();
    if (tag === TAG.nullString) return null;
    if (tag !== TAG.string) throw malformed(`tag ${tag} where a string was expected`);
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw malformed('a string without an end');
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  arbitrary(): Buffer {
    this.expect(TAG.arbitrary, 'arbitrary');
    return this.take(this.rawU32());
  }

  sampleSpec(): SampleSpec {
    this.expect(TAG.sampleSpec, 'sample spec');
    return { format: this.rawU8(), channels: this.rawU8(), rate: this.rawU32() };
  }

  channelMap(): number[] {
    this.expect(TAG.channelMap, 'channel map');
    return [...this.take(this.channelCount())];
  }

  cvolume(): number[] {
    this.expect(TAG.cvolume, 'volumes');
    return Array.from({ length: this.channelCount() }, () => this.rawU32());
  }

  volume(): number {
    this.expect(TAG.volume, 'volume');
    return this.rawU32();
  }

  timeval(): Timeval {
    this.expect(TAG.timeval, 'timeval');
    return { seconds: this.rawU32(), micros: this.rawU32() };
  }

  proplist(): PropList {
    this.expect(TAG.proplist, 'proplist');
    const properties = new Map<string, Buffer>();
    for (let key = this.string(); key !== null; key = this.string()) {
      const length = this.u32();
      const value = this.arbitrary();
      if (value.length !== length)
        throw malformed(`a property of ${value.length} bytes announced as ${length}`);
      properties.set(key, value);
    }
    return properties;
  }

  formatInfo(): FormatInfo {
    this.expect(TAG.formatInfo, 'format info');
    return { encoding: this.u8(), properties: this.proplist() };
  }

  private expect(tag: number, what: string): void {
    const found = this.rawU8();
    if (found !== tag) throw malformed(`tag ${found} where ${what} was expected`);
  }

  private channelCount(): number {
    const count = this.rawU8();
    if (count > MAX_CHANNELS) throw malformed(`${count} channels`);
    return count;
  }

  private rawU8(): number {
    return this.take(1).readUInt8();
  }

  private rawU32(): number {
    return this.take(4).readUInt32BE();
  }

  private take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw malformed('a message that is cut off');
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }
}

/** The error for an answer that breaks PulseAudio's protocol. */
export function malformed(what: string): OrgoError {
  return new OrgoError(
    'ORGO_SOUND_SERVER_FAILED',
    `The sound server sent what is not PulseAudio's protocol: ${what}. Check that the address is a PulseAudio or PipeWire server's.`,
  );
}
