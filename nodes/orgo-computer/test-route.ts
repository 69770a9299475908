/** Answers the button Test of the computer's dialog: tries what the fields hold, and tells each step as it happens. */
import type { Clock } from '../../src/audio/clock';
import { errorText } from '../../src/audio/errors';
import { formatText } from '../../src/audio/format';
import { toDb } from '../../src/audio/samples';
import { checkComputer, type CheckResult } from '../../src/client/computer-check';
import type { Computer } from '../../src/client/computer';
import { addDialogRoute } from '../dialogs/admin-route';
import { readFields } from '../dialogs/fields';
import type { Step } from '../dialogs/step';
import type { Red } from '../shared/red';
import { readComputer } from './computer';
import { SETTINGS } from './settings';

/** Below this is no more than the noise of a converter. */
const QUIET_DBFS = -90;

export function addTestRoute(RED: Red, clock: Clock): void {
  addDialogRoute(RED, '/orgo-computer/test', async ({ body, tell, signal }) => {
    const say = (step: Step): void => tell(step);
    let computer: Computer;
    try {
      computer = readComputer(RED, readFields(RED, SETTINGS, body), undefined, clock);
    } catch (thrown) {
      say({ step: 'settings', ok: false, text: errorText(thrown) });
      return;
    }
    await checkComputer(computer, { clock, signal }, (result) => say(stepOf(RED, result)));
  });
}

function stepOf(RED: Red, result: CheckResult): Step {
  const { step } = result;
  if ('error' in result) return { step, ok: false, text: result.error.message };
  return { step, ok: true, text: textOf(RED, result) };
}

function textOf(RED: Red, result: Exclude<CheckResult, { readonly error: Error }>): string {
  const words = (key: string, values?: Readonly<Record<string, unknown>>): string =>
    RED._(`orgo-computer.test.${key}`, values);
  if (result.step === 'address') return words('address', { address: result.address });
  if (result.step !== 'sound') return words(result.step);
  const format = formatText(result.format);
  const peak = toDb(result.peak);
  return peak < QUIET_DBFS ? words('silence', { format }) : words('sound', { format, peak: peak.toFixed(0) });
}
