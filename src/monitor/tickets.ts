/** Tickets for the monitors' WebSocket: had over HTTP by who may, shown once. */
import type { Clock } from '../audio/clock';

/** From its making on, ms. */
const VALID_MS = 30_000;
/** A ticket beyond these replaces the oldest. */
const MOST = 256;

export class Tickets {
  /** When each ends to be valid, on the monotonic clock; the oldest first. */
  private readonly open = new Map<string, number>();

  /** @param newTicket makes one that nobody can guess */
  constructor(
    private readonly clock: Clock,
    private readonly newTicket: () => string,
  ) {}

  issue(): string {
    const ticket = this.newTicket();
    this.open.set(ticket, this.clock.now() + VALID_MS);
    for (const [oldest, until] of this.open) {
      if (this.open.size <= MOST && until > this.clock.now()) break;
      this.open.delete(oldest);
    }
    return ticket;
  }

  /** Whether `ticket` is good. It is not a second time. */
  redeem(ticket: string): boolean {
    const until = this.open.get(ticket);
    this.open.delete(ticket);
    return until !== undefined && until > this.clock.now();
  }
}
