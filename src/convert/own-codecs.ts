/** What is decoded and encoded without ffmpeg: WAV, and Opus in Ogg and WebM. The one place that uses our own codecs. */
import { samplesIn, type AudioFrame, type PcmFrame } from '../audio/frame';
import { bytesPerSample, msOfSamples } from '../audio/format';
import { SampleJoiner } from '../audio/sample-joiner';
import { parseWavHeader, wavHeader, type WavHeader } from '../containers/wav-header';
import { ContainerDecoder } from '../containers/container-decoder';
import { OPUS_CLOCK_RATE } from '../opus/packet';
import { OggEncoder } from '../containers/ogg-encoder';
import { Resampler } from '../resample/resampler';
import type { DecodeSettings, EncodeFormat } from './options';

/** Kinds of files that need no ffmpeg. */
export type OwnKind = 'wav' | 'ogg-opus' | 'webm-opus';

/** Bytes of a file to frames of PCM, their positions from 0 on, their `time` counted from 0 too. */
export interface OwnDecoder {
  /**
   * What comes of the bytes, in slices of a few ms of CPU each: a few bytes of Opus may hold minutes.
   * @throws OrgoError `ORGO_BAD_INPUT` for bytes that are none of this kind
   */
  push(bytes: Buffer): Iterable<PcmFrame[]>;
  /** The rest. */
  flush(): PcmFrame[];
  close(): void;
}

/** PCM to bytes of a file; a frame's place is that of the sound with which its bytes begin. */
export interface OwnEncoder {
  push(frame: PcmFrame): AudioFrame[];
  flush(): AudioFrame[];
  close(): void;
}

export function ownDecoder(kind: OwnKind, options: DecodeSettings): OwnDecoder {
  return kind === 'wav' ? new WavDecoder(options) : new OpusFileDecoder(options);
}

/** Formats that are encoded without ffmpeg. */
export type OwnFormat = Exclude<OwnKind, 'webm-opus'>;

export function isOwnFormat(format: EncodeFormat): format is OwnFormat {
  return format === 'wav' || format === 'ogg-opus';
}

export function ownEncoder(format: OwnFormat, bitrate: number): OwnEncoder {
  return format === 'wav' ? new WavEncoder() : new OggEncoder({ bitrate });
}

class OpusFileDecoder implements OwnDecoder {
  private readonly container;
  private readonly resampler;

  constructor(options: DecodeSettings) {
    const { sampleRate = OPUS_CLOCK_RATE, channels, encoding } = options;
    this.container = new ContainerDecoder({ sampleRate, channels, encoding });
    this.resampler = new Resampler({ ...options, sampleRate });
  }

  *push(data: Buffer): Generator<PcmFrame[], void> {
    const format = { encoding: 'ogg', sampleRate: OPUS_CLOCK_RATE, channels: 2 } as const;
    const piece = { format, data, samples: 0, position: 0, time: 0, gap: 0, latencyMs: 0 };
    for (const decoded of this.container.pushInSlices(piece)) yield this.convert(decoded);
  }

  flush(): PcmFrame[] {
    return [...this.convert(this.container.flush()), ...this.resampler.flush()];
  }

  close(): void {
    this.container.close();
    this.resampler.close();
  }

  private convert(frames: readonly PcmFrame[]): PcmFrame[] {
    return frames.flatMap((frame) => this.resampler.push(frame));
  }
}

class WavDecoder implements OwnDecoder {
  private held: Buffer = Buffer.alloc(0);
  private header: WavHeader | undefined;
  private readonly joiner = new SampleJoiner();
  private readonly resampler;
  private position = 0;
  /** Bytes of sound that are still to come. */
  private left = Infinity;

  constructor(options: DecodeSettings) {
    this.resampler = new Resampler(options);
  }

  push(bytes: Buffer): PcmFrame[][] {
    return [this.take(bytes)];
  }

  private take(bytes: Buffer): PcmFrame[] {
    if (this.header) return this.read(this.header, bytes);
    this.held = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    const header = parseWavHeader(this.held);
    if (!header) return [];
    this.header = header;
    this.left = header.dataLength ?? Infinity;
    const sound = this.held.subarray(header.dataStart);
    this.held = Buffer.alloc(0);
    return this.read(header, sound);
  }

  flush(): PcmFrame[] {
    return this.resampler.flush();
  }

  close(): void {
    this.resampler.close();
  }

  private read({ format }: WavHeader, bytes: Buffer): PcmFrame[] {
    const sound = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes;
    this.left -= sound.length;
    const data = this.joiner.push(sound, bytesPerSample(format));
    const samples = samplesIn(format, data);
    if (samples === 0) return [];
    const { position } = this;
    this.position += samples;
    const time = msOfSamples(format.sampleRate, position);
    return this.resampler.push({ format, data, samples, position, time, gap: 0, latencyMs: 0 });
  }
}

/** The header leaves with the first sound; its lengths say "unknown", since what has left can not be corrected. */
class WavEncoder implements OwnEncoder {
  private begun = false;

  push(frame: PcmFrame): AudioFrame[] {
    if (frame.samples === 0) return [];
    const { sampleRate, channels } = frame.format;
    const data = this.begun ? frame.data : Buffer.concat([wavHeader(frame.format), frame.data]);
    this.begun = true;
    return [{ ...frame, format: { encoding: 'wav', sampleRate, channels }, data }];
  }

  flush(): AudioFrame[] {
    this.begun = false;
    return [];
  }

  close(): void {
    this.begun = false;
  }
}
