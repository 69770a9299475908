/** Every open WebSocket of a server, admitted or not, so that closing the server leaves none. */
import type { WebSocket } from 'ws';
import type { Clock } from '../audio/clock';
import { CloseCode } from '../protocol/close-codes';

/** A client that does not answer the closing of a server that shuts down is cut off: Node-RED waits for it. */
const SHUTDOWN_TIMEOUT_MS = 1000;

export class OpenSockets {
  private readonly open = new Set<WebSocket>();

  constructor(private readonly clock: Clock) {}

  /** Keeps it until it is closed. */
  add(webSocket: WebSocket): void {
    this.open.add(webSocket);
    webSocket.on('close', () => this.open.delete(webSocket));
  }

  /** Closes them all with 1001; resolves when none is left. */
  async close(): Promise<void> {
    await Promise.all([...this.open].map((webSocket) => this.shutDown(webSocket)));
  }

  private shutDown(webSocket: WebSocket): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(SHUTDOWN_TIMEOUT_MS, () => webSocket.terminate());
      webSocket.once('close', () => {
        cancel();
        resolve();
      });
      webSocket.close(CloseCode.goingAway, 'shutting down');
    });
  }
}
