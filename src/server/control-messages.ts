/** What a listener may say, and how much of anything else is borne. */
import type { WebSocket } from 'ws';
import type { Clock } from '../audio/clock';
import { CloseCode } from '../protocol/close-codes';
import { NOT_A_CLIENT_MESSAGE, parseClientMessage } from '../protocol/messages';
import type { Listener } from './listener';

/** The tenth message that is none of the protocol's, within this time, ends the connection. */
const MAX_UNREADABLE = 10;
const UNREADABLE_WINDOW_MS = 10_000;

/** Answers a listener's messages for as long as it is connected. */
export function converse(webSocket: WebSocket, listener: Listener, clock: Clock): void {
  let unreadable: number[] = [];

  webSocket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      listener.close(CloseCode.unsupportedData, 'send text, not binary');
      return;
    }
    const message = parseClientMessage(data.toString());
    switch (message?.type) {
      case 'ping':
        listener.pong();
        return;
      case 'stop':
        listener.close(CloseCode.normal, 'stopped');
        return;
      case undefined:
        refuse();
    }
  });

  function refuse(): void {
    const now = clock.now();
    unreadable = unreadable.filter((time) => now - time < UNREADABLE_WINDOW_MS);
    unreadable.push(now);
    if (unreadable.length >= MAX_UNREADABLE) {
      listener.close(CloseCode.policyViolation, 'too many unreadable messages', NOT_A_CLIENT_MESSAGE);
    } else {
      listener.send({ type: 'error', message: NOT_A_CLIENT_MESSAGE });
    }
  }
}
