/** Makes text from a server safe to show: short, on one line, and without our secrets. */
import { percentEncode, wellFormed } from '../protocol/percent-encoding';

const MAX_LENGTH = 200;
const REDACTED = '***';
// eslint-disable-next-line no-control-regex -- control characters are exactly what is taken out
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/**
 * `text` on one line of at most 200 characters, with every secret replaced by ***, also where it is encoded for a
 * URL: a server may repeat in an error what it was sent. Never throws.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) {
    if (secret === '') continue;
    for (const spelling of [secret, wellFormed(secret), percentEncode(secret)]) {
      shown = shown.replaceAll(spelling, REDACTED);
    }
  }
  shown = shown.replace(CONTROL_CHARACTERS, ' ').trim();
  return wellFormed(shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)}…` : shown);
}
