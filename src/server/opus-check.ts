/** Whether Opus can be encoded here: looked up when the first listener asks for it. */
import { errorText, OrgoError } from '../audio/errors';

/**
 * @param choose throws where no library loads
 * @param onMissing called once, with why
 * @returns asks, at its first call
 */
export function opusCheck(choose: () => unknown, onMissing: (error: OrgoError) => void): () => boolean {
  let found: boolean | undefined;
  return () => (found ??= isThere(choose, onMissing));
}

function isThere(choose: () => unknown, onMissing: (error: OrgoError) => void): boolean {
  try {
    choose();
    return true;
  } catch (cause) {
    const text = `A listener asked for Opus and is sent PCM, since no Opus library loads: ${errorText(cause)}`;
    onMissing(new OrgoError('ORGO_OPUS_FAILED', text, { cause }));
    return false;
  }
}
