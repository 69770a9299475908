/** One file decoded by ourselves, a little in each turn of the event loop. */
import { OrgoError } from '../audio/errors';
import type { PcmFrame } from '../audio/frame';
import type { Engine } from './engine';
import type { DecodeSettings } from './options';
import { ownDecoder, type OwnDecoder, type OwnKind } from './own-codecs';

/** Bytes that are passed on at once; the decoder itself limits how much it decodes at once. */
const OPUS_PIECE_BYTES = 16_384;
const WAV_PIECE_BYTES = 32768;

export class OwnRun implements Engine {
  readonly ended: Promise<OrgoError | undefined>;
  private resolveEnded: (error: OrgoError | undefined) => void = () => undefined;
  private readonly decoder: OwnDecoder;
  private readonly pieceBytes: number;
  private isOver = false;
  private gave = false;

  constructor(
    kind: OwnKind,
    options: DecodeSettings,
    private readonly give: (frames: readonly PcmFrame[]) => Promise<void>,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.decoder = ownDecoder(kind, options);
    this.pieceBytes = kind === 'wav' ? WAV_PIECE_BYTES : OPUS_PIECE_BYTES;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isOver; at += this.pieceBytes)
      await this.attempt(() => this.decoder.push(bytes.subarray(at, at + this.pieceBytes)));
  }

  async finish(): Promise<OrgoError | undefined> {
    if (!this.isOver) await this.attempt(() => [this.decoder.flush()]);
    this.end(this.gave ? undefined : new OrgoError('ORGO_BAD_INPUT', 'The file holds no sound'));
    return this.ended;
  }

  abort(): Promise<void> {
    this.end(undefined);
    return Promise.resolve();
  }

  private async attempt(decode: () => Iterable<PcmFrame[]>): Promise<void> {
    try {
      for (const frames of decode()) {
        if (this.isOver) return;
        if (frames.length > 0) this.gave = true;
        await this.give(frames);
      }
    } catch (error) {
      if (!(error instanceof OrgoError)) throw error;
      this.end(error);
    }
  }

  private end(error: OrgoError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.decoder.close();
    this.resolveEnded(error);
  }
}
