/** One stream's encoder as a processor: settings that changed count from the next frame on. */
import { OrgoError } from '../../src/audio/errors';
import { formatText, isPcm } from '../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { OpusEncoder } from '../../src/opus/encoder';
import type { OpusLibrary } from '../../src/opus/library';
import { OggEncoder } from '../../src/opus/ogg-encoder';
import type { OpusEncoderSettings } from '../../src/opus/settings';
import type { Product, StreamProcessor } from '../shared/stream-node';

export interface EncodeOptions {
  readonly container: 'packets' | 'ogg';
  readonly library: OpusLibrary;
  /** The node's settings as they are now. */
  readonly settings: () => OpusEncoderSettings;
}

export class EncodeProcessor implements StreamProcessor {
  private readonly encoder: OpusEncoder | OggEncoder;
  private applied: OpusEncoderSettings;

  constructor(private readonly options: EncodeOptions) {
    const { container, library, settings } = options;
    this.applied = settings();
    const Encoder = container === 'ogg' ? OggEncoder : OpusEncoder;
    this.encoder = new Encoder(this.applied, library);
  }

  push(frame: AudioFrame): Product[] {
    if (!isPcmFrame(frame))
      throw new OrgoError('ORGO_BAD_INPUT', `${formatText(frame.format)} can't be encoded: PCM is wanted`);
    const out = this.applySettings();
    for (const encoded of this.encoder.push(frame)) out.push({ output: 0, frame: encoded });
    return out;
  }

  flush(): Product[] {
    return this.encoder.flush().map((frame) => ({ output: 0, frame }));
  }

  close(): void {
    this.encoder.close();
  }

  private applySettings(): Product[] {
    const settings = this.options.settings();
    if (settings === this.applied) return [];
    this.applied = settings;
    return this.encoder.configure(settings).map((frame) => ({ output: 0, frame }));
  }
}

function isPcmFrame(frame: AudioFrame): frame is PcmFrame {
  return isPcm(frame.format);
}
