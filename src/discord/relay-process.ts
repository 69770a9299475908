/** The relay process: everything that speaks Discord's protocols, apart from Node-RED, so that a fault there ends it alone. */
import { systemClock } from '../audio/clock';
import { errorText } from '../audio/errors';
import { failureOf } from './failure';
import { loadLibraries } from './libraries';
import { watchParent } from './parent-watch';
import type { FromRelay, ToRelay } from './relay-messages';
import { RelaySession } from './relay-session';

/** Time to say good-bye to Discord. */
const FAREWELL_MS = 1000;

let session: RelaySession | undefined;
let ending = false;

function report(message: FromRelay): void {
  if (process.connected) process.send?.(message);
  if (message.kind === 'failed') end(1);
}

/** Leaves Discord, and ends for certain. */
function end(exitCode: number): void {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(exitCode), FAREWELL_MS);
  const farewell = session?.leave() ?? Promise.resolve();
  farewell.then(
    () => process.exit(exitCode),
    () => process.exit(exitCode),
  );
}

function onMessage(message: ToRelay | Uint8Array): void {
  if (message instanceof Uint8Array || message.kind === 'move' || message.kind === 'end') {
    session?.onMessage(message);
    return;
  }
  if (message.kind === 'leave') {
    end(0);
    return;
  }
  try {
    session = new RelaySession(message, loadLibraries(), systemClock, report);
    void session.run();
  } catch (error) {
    report({ kind: 'failed', failure: failureOf(error) });
  }
}

watchParent();
process.on('message', onMessage);
// Node-RED is gone, however it went: the channel closes with it.
process.on('disconnect', () => end(0));
// The process group gets Ctrl+C too; Node-RED then says what is to be done.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error) => {
  if (ending) return;
  report({
    kind: 'failed',
    failure: {
      code: 'ORGO_DISCORD_FAILED',
      text: `Discord's voice library failed: ${errorText(error)}`,
      then: 'retry',
    },
  });
});
