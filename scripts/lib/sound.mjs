/** Whether a sound server answers here, asked as the built package asks. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './run.mjs';

/** @param {string} module under dist/src/ */
function built(module) {
  return import(pathToFileURL(join(ROOT, 'dist', 'src', module)).href);
}

/**
 * Tries each address at which a sound server may listen, with the cookie that it may want.
 * @returns {Promise<{ found: boolean, text: string }>} `text` says what was found, for people
 */
export async function probeSound() {
  const { addressText, pulseAddresses, systemContext } = await built('capture/pulse/address.js');
  const { PulseConnection } = await built('capture/pulse/connection.js');
  const { cookiePaths, readCookie } = await built('capture/pulse/cookie.js');
  const { systemClock } = await built('audio/clock.js');

  const cookie = await readCookie(cookiePaths(process.env));
  let obstacle = 'no address to try';
  for (const address of pulseAddresses('', systemContext(process.env))) {
    const ignore = () => undefined;
    const events = { onPush: ignore, onAudio: ignore, onEnd: ignore };
    const connection = new PulseConnection(address, events, systemClock);
    try {
      await connection.authenticate(cookie);
      return {
        found: true,
        text: `PulseAudio answers at ${addressText(address)}: this computer's own sound.`,
      };
    } catch (error) {
      obstacle = error.message;
    } finally {
      connection.close();
    }
  }
  return { found: false, text: `the built-in test signal. ${obstacle}` };
}
