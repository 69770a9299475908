/** Chooses the status line's words and colour for a stream's state. */
import type { OrgoErrorCode } from '../../src/audio/errors';
import type { StreamState } from '../../src/client/stream-events';
import type { StatusLine } from '../shared/status';

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

export function showState(status: StatusLine, state: StreamState): void {
  switch (state.kind) {
    case 'stopped':
      status.show('idle', 'stopped');
      break;
    case 'authorizing':
      status.show('busy', state.wait ? 'api-waits' : 'authorizing');
      break;
    case 'connecting':
      status.show('busy', 'connecting');
      break;
    case 'started':
      status.show('busy', 'no-sound-yet');
      break;
    case 'running': {
      const { sampleRate, channels, encoding } = state.format;
      const pcm = channels === 1 ? 'mono' : 'stereo';
      status.show('ok', encoding === 'opus' ? 'opus' : pcm, { rate: sampleRate });
      break;
    }
    case 'waiting': {
      status.show(lookOf(state.error.code), ERROR_WORDS.get(state.error.code) ?? 'disconnected');
      break;
    }
    case 'refused':
      status.show('error', ERROR_WORDS.get(state.error.code) ?? 'disconnected');
      break;
  }
}

/** Yellow for a computer that may run soon, red for everything that needs someone. */
function lookOf(code: OrgoErrorCode): 'busy' | 'error' {
  return code === 'ORGO_COMPUTER_NOT_RUNNING' || code === 'ORGO_COMPUTER_STARTING' ? 'busy' : 'error';
}
