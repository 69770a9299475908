/** Connects to the first of a sound server's possible addresses that takes us in. */
import { errorText, OrgoError } from '../../audio/errors';
import { addressText, pulseAddresses, systemContext, type PulseAddress } from './address';
import { asOrgoError, type PulseConnection } from './connection';
import { cookiePaths, readCookie } from './cookie';

export interface ServerPlace {
  /** As PULSE_SERVER; blank: the environment's. */
  readonly pulseServer: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Never calls `make` before it has returned.
 * @param make begins to connect to an address; undefined gives up. It is told how to learn whether we were taken in
 * @throws {OrgoError} what is wrong with the setting, or the most telling of the failures
 */
export async function connectFirst(
  { pulseServer, env }: ServerPlace,
  make: (address: PulseAddress, isConnected: () => boolean) => PulseConnection | undefined,
): Promise<PulseConnection> {
  const cookie = await readCookie(cookiePaths(env));
  const addresses = pulseAddresses(pulseServer, systemContext(env));
  const failures: OrgoError[] = [];
  for (const address of addresses) {
    let connected = false;
    const connection = make(address, () => connected);
    if (!connection) break;
    try {
      await connection.authenticate(cookie);
      connected = true;
      return connection;
    } catch (error) {
      failures.push(asOrgoError(error));
      connection.close();
    }
  }
  throw mostTelling(failures, addresses);
}

/** Of several addresses' failures the one to act on: one that answered says more than one that did not. */
function mostTelling(failures: readonly OrgoError[], addresses: readonly PulseAddress[]): OrgoError {
  const answered = failures.find((failure) => failure.code !== 'ORGO_NO_SOUND_SERVER');
  const [first] = failures;
  if (answered) return answered;
  if (first && failures.length === 1) return first;
  return new OrgoError(
    'ORGO_NO_SOUND_SERVER',
    `No sound server answers at any of ${addresses.map(addressText).join(', ')}. Start PulseAudio or PipeWire, or set the address. First: ${errorText(first)}`,
  );
}
