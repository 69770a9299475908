/** One editor that looks at monitors: what it wants, and what it is sent for as long as it keeps up. */
import type { Clock } from '../audio/clock';
import { CLOSE, TICKET_WITHIN_MS, type HostMessage, type ViewerMessage } from './viewer-protocol';

/** As much of a WebSocket as a viewer needs. */
export interface ViewerSocket {
  /** Bytes that were sent and are still in this process. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
  /** Ends it without a goodbye. */
  terminate(): void;
}

/** A page is asked this often whether it keeps up. */
const PROBE_MS = 250;
/** While the answer to an older probe is missing, nothing is sent: what was sent waits somewhere on the way. */
const BACKLOG_MS = 1000;
/** Without an answer for this long, it is gone. */
const SILENT_MS = 20_000;
/** More must not wait in this process: about a second of everything that one tab can show and play. */
const BACKLOG_BYTES = 512 * 1024;
/** Ids that may be wanted at once: more than anyone deploys. */
const MOST_WANTED = 1000;

export interface ViewerOptions {
  readonly clock: Clock;
  /** Whether the ticket is good. */
  readonly redeem: (ticket: string) => boolean;
  /** It showed a ticket. */
  readonly onAdmitted: () => void;
  /** It wants something else. */
  readonly onWant: () => void;
}

export class Viewer {
  /** Ids of the monitors. */
  levels: ReadonlySet<string> = new Set();
  sound: ReadonlySet<string> = new Set();
  admitted = false;
  /** Messages that were left out because it did not keep up. */
  dropped = 0;
  private cancel: () => void;
  private probe = 0;
  /** When the oldest probe without an answer was sent, and its number. */
  private unanswered: { readonly n: number; readonly at: number } | undefined;

  constructor(
    private readonly socket: ViewerSocket,
    private readonly options: ViewerOptions,
  ) {
    this.cancel = options.clock.after(TICKET_WITHIN_MS, () => {
      this.end(CLOSE.unauthorized, 'no ticket was shown in time');
    });
  }

  /** Takes a message of the page. */
  receive(text: string): void {
    const message = parse(text);
    if (!message) this.end(CLOSE.badMessage, 'no message of this protocol');
    else if (message.type === 'ticket') this.admit(message.ticket);
    else if (!this.admitted) this.end(CLOSE.unauthorized, 'the first message must be a ticket');
    else if (message.type === 'probe') this.answered(message.n);
    else {
      this.levels = new Set(message.levels);
      this.sound = new Set(message.sound);
      this.options.onWant();
    }
  }

  /** Sends what must not be lost. */
  tell(message: HostMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Sends what is worth nothing later, unless the page does not keep up. */
  offer(data: string | Uint8Array): void {
    if (this.keepsUp) this.socket.send(data);
    else this.dropped++;
  }

  /** Ends the connection. */
  end(code: number, reason: string): void {
    this.close();
    this.socket.close(code, reason);
  }

  /** Frees what it holds. May be called twice. */
  close(): void {
    this.cancel();
    this.admitted = false;
    this.levels = new Set();
    this.sound = new Set();
  }

  private get keepsUp(): boolean {
    if (this.socket.bufferedAmount > BACKLOG_BYTES) return false;
    return !this.unanswered || this.options.clock.now() - this.unanswered.at <= BACKLOG_MS;
  }

  private admit(ticket: string): void {
    if (this.admitted || !this.options.redeem(ticket)) {
      this.end(CLOSE.unauthorized, 'this ticket is not good');
      return;
    }
    this.cancel();
    this.admitted = true;
    this.sendProbe();
    this.options.onAdmitted();
  }

  /** A probe a tick: the answer to any of them shows that all before it arrived. */
  private sendProbe(): void {
    const now = this.options.clock.now();
    if (this.unanswered && now - this.unanswered.at > SILENT_MS) {
      this.close();
      this.socket.terminate();
      return;
    }
    if (this.keepsUp) {
      this.probe += 1;
      this.unanswered ??= { n: this.probe, at: now };
      this.tell({ type: 'probe', n: this.probe });
    }
    this.cancel = this.options.clock.after(PROBE_MS, () => this.sendProbe());
  }

  private answered(n: number): void {
    if (!this.unanswered || n < this.unanswered.n) return;
    this.unanswered = n < this.probe ? { n: n + 1, at: this.options.clock.now() } : undefined;
  }
}

function parse(text: string): ViewerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, ticket, levels, sound, n } = value as Record<string, unknown>;
  if (type === 'ticket' && typeof ticket === 'string') return { type, ticket };
  if (type === 'probe' && Number.isSafeInteger(n)) return { type, n: Number(n) };
  if (type === 'want' && areIds(levels) && areIds(sound)) return { type, levels, sound };
  return undefined;
}

function areIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MOST_WANTED && value.every((id) => typeof id === 'string');
}
