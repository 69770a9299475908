/** Chooses the status line's words and colour for a stream's state. */
import type { OrgoError, OrgoErrorCode } from '../../src/audio/errors';
import type { StreamState } from '../../src/client/stream-events';
import type { Shown } from '../shared/transform-node';

/** By the error's code; one that is not listed shows `disconnected`. */
const ERROR_WORDS: ReadonlyMap<OrgoErrorCode, string> = new Map<OrgoErrorCode, string>([
  ['ORGO_BAD_TOKEN', 'wrong-password'],
  ['ORGO_BAD_SETTING', 'format-refused'],
  ['ORGO_API_KEY_REJECTED', 'key-rejected'],
  ['ORGO_API_FORBIDDEN', 'forbidden'],
  ['ORGO_API_NOT_FOUND', 'no-such-computer'],
  ['ORGO_API_UNAVAILABLE', 'unavailable'],
  ['ORGO_API_BAD_ANSWER', 'api-failed'],
  ['ORGO_API_UNREACHABLE', 'api-unreachable'],
  ['ORGO_COMPUTER_NOT_RUNNING', 'not-running'],
  ['ORGO_COMPUTER_STARTING', 'starting'],
  ['ORGO_CAPTURE_FAILED', 'capture-failed'],
  ['ORGO_NO_SUCH_COMPUTER', 'no-such-computer'],
  ['ORGO_NO_ACCESS', 'forbidden'],
  ['ORGO_SECOND_FACTOR', 'second-factor'],
  ['ORGO_BAD_ADDRESS', 'wrong-address'],
]);

/** Of a computer that may run by itself: yellow. Everything else needs someone, and is red. */
const MAY_RUN_SOON: ReadonlySet<OrgoErrorCode> = new Set([
  'ORGO_COMPUTER_NOT_RUNNING',
  'ORGO_COMPUTER_STARTING',
]);

/** What the status line says of `state`: a look, a word of the node's catalog, and what stands in it. */
export function wordsFor(state: StreamState): Shown {
  switch (state.kind) {
    case 'stopped':
      return ['idle', 'stopped'];
    case 'authorizing':
      return ['busy', state.wait ? 'api-waits' : 'authorizing'];
    case 'connecting':
      return ['busy', 'connecting'];
    case 'started':
      return ['busy', 'no-sound-yet'];
    case 'running': {
      const { sampleRate: rate, channels, encoding } = state.format;
      if (encoding === 'opus') return ['ok', 'opus', { rate }];
      return ['ok', channels === 1 ? 'mono' : 'stereo', { rate }];
    }
    case 'waiting':
      return [MAY_RUN_SOON.has(state.error.code) ? 'busy' : 'error', wordFor(state.error)];
    case 'refused':
      return ['error', wordFor(state.error)];
  }
}

function wordFor({ code }: OrgoError): string {
  return ERROR_WORDS.get(code) ?? 'disconnected';
}
