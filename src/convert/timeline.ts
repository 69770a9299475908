/** When decoded sound was captured, where its pieces were live and said so. */

/** Where a piece of live bytes lies in time. */
export interface PieceTime {
  /** When the sound with which it begins was captured: epoch ms. */
  readonly time: number;
  /** Sound before it since the first piece, ms, by the sender's own count; left out: not known. */
  readonly elapsedMs?: number | undefined;
}

export class Timeline {
  /** Epoch ms of the stream's first sample, as the pieces say it from some place on. */
  private readonly starts: { readonly fromMs: number; readonly start: number }[] = [];
  /** Whether the first piece had a time: a stream is live from its beginning, or a recording. */
  private isLive: boolean | undefined;

  /** Takes note of the next piece. */
  add(piece: PieceTime | undefined): void {
    const isFirst = this.isLive === undefined;
    this.isLive ??= piece !== undefined;
    if (!this.isLive || !piece) return;
    const elapsedMs = isFirst ? 0 : piece.elapsedMs;
    if (elapsedMs !== undefined) this.starts.push({ fromMs: elapsedMs, start: piece.time - elapsedMs });
  }

  /** The capture time of the sound at `ms` since the first sample, asked in order; undefined for a recording. */
  timeAt(ms: number): number | undefined {
    for (let next = this.starts[1]; next && next.fromMs <= ms; next = this.starts[1]) this.starts.shift();
    const [current] = this.starts;
    return current && current.start + ms;
  }
}
