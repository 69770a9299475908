/** One stream's encoder as a processor: settings that changed count from the next frame on. */
import { OrgoError } from '../../src/audio/errors';
import { formatText } from '../../src/audio/format';
import { isPcmFrame, type AudioFrame } from '../../src/audio/frame';
import { OpusEncoder } from '../../src/opus/encoder';
import type { OpusLibrary } from '../../src/opus/library';
import { OggEncoder } from '../../src/containers/ogg-encoder';
import type { OpusEncoderSettings } from '../../src/opus/settings';
import type { Product, StreamProcessor } from '../shared/stream-node';

export class EncodeProcessor implements StreamProcessor<OpusEncoderSettings> {
  private encoder: OpusEncoder | OggEncoder | undefined;
  private applied: OpusEncoderSettings | undefined;

  constructor(
    private readonly container: 'packets' | 'ogg',
    private readonly library: OpusLibrary,
  ) {}

  push(frame: AudioFrame, settings: OpusEncoderSettings): Product[] {
    if (!isPcmFrame(frame))
      throw new OrgoError('ORGO_BAD_INPUT', `${formatText(frame.format)} can't be encoded: PCM is wanted`);
    const encoder = (this.encoder ??= this.create(settings));
    const changed = settings === this.applied ? [] : encoder.configure(settings);
    this.applied = settings;
    return [...changed, ...encoder.push(frame)].map((encoded) => ({ output: 0, frame: encoded }));
  }

  flush(): Product[] {
    return this.encoder?.flush().map((frame) => ({ output: 0, frame })) ?? [];
  }

  close(): void {
    this.encoder?.close();
  }

  private create(settings: OpusEncoderSettings): OpusEncoder | OggEncoder {
    this.applied = settings;
    const Encoder = this.container === 'ogg' ? OggEncoder : OpusEncoder;
    return new Encoder(settings, this.library);
  }
}
