/** PCM of any rate into an Ogg stream of Opus. */
import type { PcmEncoding } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import type { Transform } from '../audio/transform';
import { OpusEncoder, type OpusFrame } from '../opus/encoder';
import type { OpusLibrary } from '../opus/library';
import type { OpusEncoderSettings } from '../opus/settings';
import { MAX_FILLED_MS, OggWriter, type OggFrame } from './ogg-writer';

/**
 * A gap of up to {@link MAX_FILLED_MS} is encoded as silence, so that the recording keeps its time to the sample.
 * A longer one, a change of format and a flush end the Ogg stream, trimmed to what came; a new one, chained to it,
 * begins after it.
 */
export class OggEncoder implements Transform<PcmEncoding, OggFrame> {
  private readonly encoder: OpusEncoder;
  private readonly writer: OggWriter;

  /**
   * @param library as for {@link OpusEncoder}
   * @param random as for {@link OggWriter}
   * @throws OrgoError as {@link OpusEncoder} does
   */
  constructor(settings: Partial<OpusEncoderSettings> = {}, library?: OpusLibrary, random?: () => number) {
    this.encoder = new OpusEncoder(settings, library, MAX_FILLED_MS);
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
    return this.write(this.encoder.push(frame));
  }

  flush(): OggFrame[] {
    return [...this.write(this.encoder.flush()), ...this.writer.flush()];
  }

  close(): void {
    this.encoder.close();
    this.writer.close();
  }

  private write(packets: readonly OpusFrame[]): OggFrame[] {
    return packets.flatMap((packet) => this.writer.push(packet));
  }
}
