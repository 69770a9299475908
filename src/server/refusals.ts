/** How a connection is refused or ended: in words where the other end can hear them, and for good. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { CloseCode } from '../protocol/close-codes';
import { sendMessage } from './control-messages';

/** Closes a WebSocket, after an `error` text where there is a message. */
export function endWith(webSocket: WebSocket, code: CloseCode, reason: string, message?: string): void {
  if (message !== undefined) sendMessage(webSocket, { type: 'error', message });
  webSocket.close(code, reason);
}

/** Cuts the connection after the answer: a client that never ends its side would hold it, and the port, for ever. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
