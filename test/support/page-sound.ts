/** What was heard of a page that plays our sound: which seconds of it are whole, and what was wrong with the others. */
import { brokenControlTone, lateMessages } from './stall-witness';
import type { Attempt, ControlMessage, Fault, Stall } from './stall-witness';
import type { RecordedSound } from './timed-recording';
import { channelOf, measureTone, phaseStep, type ToneMeasure } from './tone';

const WINDOW_SAMPLES = 480;
const WINDOW_MS = 10;
const WINDOWS_PER_S = 100;
/** Chromium's resampling leaves less than this between two windows of a whole tone; 1 ms of gap makes 2.8 rad. */
const MAX_PHASE_STEP = 0.1;
/** The example plays 20 ms after a message came: from here on lateness, of all on the way together, may be heard. */
const CAUSE_MS = 15;

/** One call of AudioBufferSourceNode.start. */
interface Start {
  /** Epoch ms */
  readonly at: number;
  /** Seconds of the context's clock, as `duration`. */
  readonly when: number;
  readonly duration: number;
}

/** What `page-witness.js` writes down. */
export interface PageWitness {
  readonly starts: readonly Start[];
  readonly control: readonly ControlMessage[];
}

/** What a page should have played. */
export interface Expected {
  readonly tone: { readonly hz: number; readonly amplitude: number };
  readonly leastSeconds: number;
  /** In its first second; none later. */
  readonly maxRestarts: number;
  /** What other witnesses saw. */
  readonly stalls: readonly Stall[];
}

/** Seconds count from the tone's first second on, which is the page's to settle in. */
export interface Heard extends Attempt {
  readonly wholeSeconds: number;
  readonly brokenSeconds: number;
  /** Whether it started over at most `maxRestarts` times in its first second. */
  readonly isStartWhole: boolean;
  /** Seconds since the first buffer. */
  readonly restarts: readonly number[];
}

/** @param recorded left: what the page played, right: Chromium's own tone */
export function judgePage(
  recorded: RecordedSound,
  { starts, control }: PageWitness,
  expected: Expected,
): Heard {
  const restarts = restartsIn(starts);
  const early = restarts.filter(({ seconds }) => seconds <= 1);
  const isStartWhole = early.length <= expected.maxRestarts;
  const first = starts[0]?.at ?? 0;
  const sound = wholeness(recorded, expected);
  return {
    wholeSeconds: sound.whole,
    brokenSeconds: sound.broken,
    isStartWhole,
    restarts: restarts.map(({ seconds }) => seconds),
    faults: [
      ...(isStartWhole ? [] : [fault(`${early.length} restarts in the first second`, first, first + 1000)]),
      ...restarts.slice(early.length).map(({ seconds, at }) => fault(`a restart at ${seconds} s`, at, at)),
      ...sound.faults,
    ],
    stalls: [
      ...expected.stalls,
      ...lateMessages(control),
      ...brokenControlTone(channelOf(recorded.data, 2, 1), recorded.startTime),
    ],
  };
}

function fault(what: string, fromMs: number, toMs: number): Fault {
  return { what, fromMs, toMs, causeMs: CAUSE_MS };
}

/** Where a buffer was not scheduled right at the end of the one before. */
function restartsIn(starts: readonly Start[]): { seconds: number; at: number }[] {
  const first = starts[0]?.when ?? 0;
  return starts
    .filter(({ when }, i) => {
      const before = starts[i - 1];
      return before !== undefined && Math.abs(before.when + before.duration - when) > 1e-6;
    })
    .map(({ when, at }) => ({ seconds: Number((when - first).toFixed(3)), at }));
}

/** Looks at each whole second of the tone, from one second after its onset. */
function wholeness(
  { data, startTime }: RecordedSound,
  { tone, leastSeconds }: Expected,
): { whole: number; broken: number; faults: Fault[] } {
  const samples = channelOf(data, 2, 0);
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW_SAMPLES) }, (_, i) =>
    measureTone(samples, { hz: tone.hz, sampleRate: 48_000 }, i * WINDOW_SAMPLES, (i + 1) * WINDOW_SAMPLES),
  );
  const isTone = ({ amplitude }: ToneMeasure): boolean => amplitude > tone.amplitude / 2;
  const onset = windows.findIndex(isTone);
  const end = windows.findLastIndex(isTone);
  const timeOf = (window: number): number => startTime + window * WINDOW_MS;
  if (onset < 0 || end - onset < leastSeconds * WINDOWS_PER_S) {
    const what = `a tone of only ${onset < 0 ? 0 : end - onset + 1} windows`;
    return { whole: 0, broken: 1, faults: [fault(what, timeOf(0), timeOf(windows.length))] };
  }
  const faults: Fault[] = [];
  let [whole, broken] = [0, 0];
  for (let begin = onset + WINDOWS_PER_S; begin < end; begin += WINDOWS_PER_S) {
    const stop = Math.min(begin + WINDOWS_PER_S, end);
    const wrong = brokenWindows(windows, begin, stop, tone.amplitude);
    const [first] = wrong;
    if (first !== undefined) {
      const seconds = ((first - onset) / WINDOWS_PER_S).toFixed(2);
      const what = `${wrong.length} windows broken, from ${seconds} s after the onset on`;
      // Each of them needs its cause; the words are those of the first.
      faults.push(...wrong.map((i) => fault(what, timeOf(i), timeOf(i + 1))));
      broken++;
    } else if (stop - begin === WINDOWS_PER_S) whole++;
  }
  return { whole, broken, faults };
}

/** The windows of `all[begin, stop)` that do not keep the tone's loudness or its phase. */
function brokenWindows(
  all: readonly ToneMeasure[],
  begin: number,
  stop: number,
  amplitude: number,
): number[] {
  return Array.from({ length: stop - begin }, (_, i) => begin + i).filter((i) => {
    const [before, now] = [all[i - 1], all[i]];
    if (before === undefined || now === undefined) return false;
    const isLoud = Math.abs(now.amplitude - amplitude) <= amplitude * 0.1;
    return !isLoud || Math.abs(phaseStep(before.phase, now.phase)) > MAX_PHASE_STEP;
  });
}
