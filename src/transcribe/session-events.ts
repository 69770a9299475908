/** What happens to the session of one stream, as the events that a flow gets. */
import type { Clock } from '../audio/clock';
import { msOfSamples } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { positionAtRate } from '../audio/place';
import type { ServiceFailure } from './failure';
import type { SessionSink } from './session';

const STATS_EVERY_MS = 10_000;

export class SessionEvents {
  /** Where the input stands, without sound; undefined before any came. */
  standing: PcmFrame | undefined;
  private cancelStats: (() => void) | undefined;

  /** @param stats what the event of that name says */
  constructor(
    private readonly clock: Clock,
    private readonly sink: SessionSink,
    private readonly stats: () => object,
  ) {}

  connected(service: string): void {
    this.emit({ event: 'connected', service });
    this.watchStats();
  }

  reconnecting({ code, message }: ServiceFailure, retryInMs: number): void {
    this.cancelStats?.();
    this.emit({ event: 'reconnecting', code, message, retryInMs });
  }

  disconnected(reason: string): void {
    this.cancelStats?.();
    this.emit({ event: 'disconnected', reason });
  }

  /** @param samples at `sampleRate`; told at the input's rate */
  dropped(samples: number, sampleRate: number): void {
    const rate = this.standing?.format.sampleRate ?? sampleRate;
    this.emit({
      event: 'dropped',
      samples: positionAtRate(samples, sampleRate, rate),
      durationMs: msOfSamples(sampleRate, samples),
    });
  }

  close(): void {
    this.cancelStats?.();
  }

  private watchStats(): void {
    this.cancelStats?.();
    this.cancelStats = this.clock.after(STATS_EVERY_MS, () => {
      this.emit({ event: 'stats', ...this.stats() });
      this.watchStats();
    });
  }

  private emit(event: object): void {
    if (this.standing) this.sink.emit({ output: 'event', frame: this.standing, event });
  }
}
