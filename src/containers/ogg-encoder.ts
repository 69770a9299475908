/** PCM of any rate into an Ogg stream of Opus. */
import { msOfSamples, sameFormat, type PcmEncoding } from '../audio/format';
import type { PcmFrame, Transform } from '../audio/frame';
import { silence } from '../audio/samples';
import { OpusEncoder, type OpusFrame } from '../opus/encoder';
import type { OpusLibrary } from '../opus/library';
import { MAX_FILLED_MS, OggWriter, type OggFrame } from './ogg-writer';
import type { OpusEncoderSettings } from '../opus/settings';

/**
 * A gap of up to {@link MAX_FILLED_MS} is encoded as silence, so that the recording keeps its time to the sample.
 * A longer one, a change of format and a flush end the Ogg stream, trimmed to what came; a new one, chained to it,
 * begins after it.
 */
export class OggEncoder implements Transform<PcmEncoding, 'ogg'> {
  private readonly encoder: OpusEncoder;
  private readonly writer: OggWriter;
  private format: PcmFrame['format'] | undefined;

  /**
   * @param library as for {@link OpusEncoder}
   * @param random as for {@link OggWriter}
   * @throws OrgoError as {@link OpusEncoder} does
   */
  constructor(settings: Partial<OpusEncoderSettings> = {}, library?: OpusLibrary, random?: () => number) {
    this.encoder = new OpusEncoder(settings, library);
    this.writer = new OggWriter(random);
  }

  get settings(): OpusEncoderSettings {
    return this.encoder.settings;
  }

  /** As {@link OpusEncoder.configure}; a change of `application` begins a new, chained Ogg stream. */
  configure(changes: Partial<OpusEncoderSettings>): OggFrame[] {
    return this.write(this.encoder.configure(changes));
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken; nothing is changed by it */
  push(frame: PcmFrame): OggFrame[] {
    const { format, gap } = frame;
    if (!this.isFillable(frame)) {
      const out = this.write(this.encoder.push(frame));
      if (frame.samples > 0) this.format = format;
      return out;
    }
    const missing: PcmFrame = {
      ...frame,
      data: silence(format, gap),
      samples: gap,
      position: frame.position - gap,
      time: frame.time - msOfSamples(format.sampleRate, gap),
      gap: 0,
    };
    return this.write([...this.encoder.push(missing), ...this.encoder.push({ ...frame, gap: 0 })]);
  }

  flush(): OggFrame[] {
    this.format = undefined;
    return [...this.write(this.encoder.flush()), ...this.writer.flush()];
  }

  close(): void {
    this.format = undefined;
    this.encoder.close();
    this.writer.close();
  }

  private isFillable({ format, gap, samples }: PcmFrame): boolean {
    if (gap === 0 || samples === 0 || !this.format || !sameFormat(format, this.format)) return false;
    return msOfSamples(format.sampleRate, gap) <= MAX_FILLED_MS;
  }

  private write(packets: readonly OpusFrame[]): OggFrame[] {
    return packets.flatMap((packet) => this.writer.push(packet));
  }
}
