/** What a client may say on its WebSocket, how it is answered, and how much of anything else is accepted. */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Clock } from '../audio/clock';
import { Frequent } from '../audio/frequent';
import { CloseCode } from '../protocol/close-codes';
import { NOT_A_CLIENT_MESSAGE, parseClientMessage, type ServerMessage } from '../protocol/messages';

/** One more message than so many that is not one of the protocol's, within this time, ends the connection. */
const MAX_UNREADABLE = 9;
const UNREADABLE_WINDOW_MS = 10_000;
/** Answers to pings that may wait to be read. */
const MAX_WAITING_ANSWERS = 100;

/** Sends a text frame. */
export function sendMessage(webSocket: WebSocket, message: ServerMessage): void {
  if (webSocket.readyState === WebSocket.OPEN) webSocket.send(JSON.stringify(message));
}

/**
 * Answers a client's messages for as long as it is connected. Clients with a wrong token are answered too while
 * their closing is put off: whether pings are answered must not give away which token is right.
 */
export class ControlMessages {
  private readonly unreadable: Frequent;
  /** Answers sent since the socket last had nothing to write. */
  private waitingAnswers = 0;

  constructor(
    private readonly socket: Duplex,
    private readonly webSocket: WebSocket,
    clock: Clock,
    private readonly close: (code: CloseCode, reason: string, message?: string) => void,
  ) {
    this.unreadable = new Frequent(MAX_UNREADABLE, UNREADABLE_WINDOW_MS, clock);
    webSocket.on('ping', (payload) => this.answer(() => webSocket.pong(payload, false)));
    webSocket.on('message', (data: Buffer, isBinary: boolean) => this.onMessage(data, isBinary));
  }

  private onMessage(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.close(CloseCode.unsupportedData, 'send text, not binary');
      return;
    }
    const message = parseClientMessage(data.toString());
    switch (message?.type) {
      case 'ping':
        this.answer(() => sendMessage(this.webSocket, { type: 'pong' }));
        return;
      case 'stop':
        this.close(CloseCode.normal, 'stopped');
        return;
      case undefined:
        this.refuse();
    }
  }

  private refuse(): void {
    if (this.unreadable.add()) {
      this.close(CloseCode.policyViolation, 'too many unreadable messages', NOT_A_CLIENT_MESSAGE);
    } else {
      sendMessage(this.webSocket, { type: 'error', message: NOT_A_CLIENT_MESSAGE });
    }
  }

  /** Sends an answer that may have to wait after others that the client does not read. */
  private answer(send: () => void): void {
    if (this.webSocket.readyState !== WebSocket.OPEN) return;
    if (this.socket.writableLength === 0) this.waitingAnswers = 0;
    if (++this.waitingAnswers > MAX_WAITING_ANSWERS) {
      this.close(CloseCode.policyViolation, 'pings faster than their answers are read');
      return;
    }
    send();
  }
}
