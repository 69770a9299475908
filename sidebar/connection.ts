/** The tab's WebSocket: opened with a ticket while it is wanted, and again when it was lost. */
import {
  ADMIN_PATH,
  CLOSE,
  decodeBinary,
  type BinaryMessage,
  type HostMessage,
  type ViewerMessage,
} from '../src/monitor/viewer-protocol';
import type { Ajax, Refusal } from './node-red';

/** `refused`: whoever is logged in may not see monitors. */
export type ConnectionState = 'closed' | 'connecting' | 'open' | 'lost' | 'refused';

export interface ConnectionEvents {
  onState(state: ConnectionState): void;
  onMessage(message: HostMessage): void;
  onBinary(message: BinaryMessage): void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const UNAUTHORIZED = [401, 403];

/** Relative to the editor, wherever a proxy has put it. */
export function adminUrl(path: string): URL {
  return new URL(`${ADMIN_PATH.slice(1)}/${path}`, document.baseURI);
}

export class Connection {
  private wanted = false;
  private socket: WebSocket | undefined;
  private retryMs = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Each attempt has its own number: what an older one still says counts no more. */
  private attempt = 0;

  constructor(
    private readonly jQuery: Ajax,
    private readonly events: ConnectionEvents,
  ) {}

  /** Opens it, at once even where it waits to try again. */
  open(): void {
    if (this.wanted && this.socket) return;
    this.wanted = true;
    this.retryMs = FIRST_RETRY_MS;
    void this.connect();
  }

  close(): void {
    this.wanted = false;
    this.attempt += 1;
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = undefined;
    this.events.onState('closed');
  }

  send(message: ViewerMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private async connect(): Promise<void> {
    clearTimeout(this.timer);
    const attempt = ++this.attempt;
    this.events.onState('connecting');
    try {
      const url = adminUrl('ticket').href;
      const { ticket } = (await this.jQuery.ajax({ url, dataType: 'json', cache: false })) as {
        ticket: string;
      };
      if (attempt === this.attempt) this.openSocket(ticket, attempt);
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (UNAUTHORIZED.includes((error as Refusal).status ?? 0)) this.events.onState('refused');
      else this.retry();
    }
  }

  private openSocket(ticket: string, attempt: number): void {
    const url = adminUrl('socket');
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: 'ticket', ticket } satisfies ViewerMessage));
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (attempt === this.attempt) this.take(data);
    };
    socket.onclose = ({ code }) => {
      if (attempt !== this.attempt) return;
      this.socket = undefined;
      if (code === CLOSE.tooMany) this.retryMs = LONGEST_RETRY_MS;
      this.retry();
    };
  }

  private take(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      const message = decodeBinary(data);
      if (message) this.events.onBinary(message);
      return;
    }
    const message = JSON.parse(data) as HostMessage;
    if (message.type === 'probe') this.send(message);
    else if (message.type === 'monitors') {
      this.retryMs = FIRST_RETRY_MS;
      this.events.onState('open');
      this.events.onMessage(message);
    } else this.events.onMessage(message);
  }

  private retry(): void {
    this.events.onState('lost');
    this.timer = setTimeout(() => void this.connect(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LONGEST_RETRY_MS);
  }
}
