/** What the status of a transcriber says: a look, and a word of the node's catalog. */
import type { Session, SessionState } from '../../src/transcribe/session';
import type { Shown } from '../shared/transform-node';

/** Of several sessions, that of the first of these is shown. */
const ORDER: readonly SessionState['kind'][] = ['waiting', 'connecting', 'connected', 'disconnected', 'idle'];

export function wordsFor(sessions: readonly Session[]): Shown {
  const [first] = sessions.toSorted((a, b) => ORDER.indexOf(a.state.kind) - ORDER.indexOf(b.state.kind));
  if (!first) return ['idle', 'idle'];
  const { state } = first;
  switch (state.kind) {
    case 'waiting':
      return troubleWords(state);
    case 'connecting':
      return ['busy', 'connecting'];
    case 'connected':
      return connectedWords(sessions);
    case 'disconnected':
      return ['off', 'disconnected'];
    case 'idle':
      return ['idle', 'idle'];
  }
}

function troubleWords({ failure }: Extract<SessionState, { kind: 'waiting' }>): Shown {
  switch (failure.kind) {
    case 'key':
      return ['error', 'bad-key'];
    case 'refused':
      return failure.said === '' ? ['error', 'refused'] : ['error', 'said', { said: ownWords(failure.said) }];
    case 'failed':
      return ['busy', 'reconnecting'];
    case 'nonsense':
      return ['error', 'bad-answer'];
  }
}

/** There is little room: the number of the HTTP status stands in the error. */
function ownWords(said: string): string {
  return said.replace(/^HTTP \d+ (?=.)/, '');
}

function connectedWords(sessions: readonly Session[]): Shown {
  const seconds = Math.round(sessions.reduce((sum, { sentMs }) => sum + sentMs, 0) / 1000);
  const latencies = sessions.map(({ latencyMs }) => latencyMs).filter((ms) => ms !== undefined);
  if (latencies.length === 0) return ['ok', 'connected', { seconds }];
  return ['ok', 'words', { seconds, latency: Math.round(Math.max(...latencies)) }];
}
