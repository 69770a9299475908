import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Segmenter, type SegmenterEvent, type SegmenterSettings } from '../../src/vad/segmenter';

const WINDOW = 512;
/** A minimum of 3 windows, a hangover of 5, a maximum of 20. */
const SETTINGS: SegmenterSettings = {
  threshold: 0.5,
  minSpeechMs: 3 * 32,
  hangoverMs: 5 * 32,
  maxUtteranceMs: 20 * 32,
};

const speech = (windows: number, probability = 0.9): number[] => Array<number>(windows).fill(probability);
const pause = (windows: number): number[] => speech(windows, 0.1);

/** What the segmenter tells at each window, with spans counted in windows. */
function segment(probabilities: number[], settings = SETTINGS, energies: number[] = []): string[] {
  const segmenter = new Segmenter(settings);
  const told = probabilities.flatMap((probability, i) =>
    segmenter.push(probability, energies[i] ?? 1).map((event) => `${i}: ${textOf(event)}`),
  );
  return [...told, ...segmenter.flush().map((event) => `end: ${textOf(event)}`)];
}

function textOf(event: SegmenterEvent): string {
  const { start, end, part } = event.span;
  const span = `${start / WINDOW}–${end / WINDOW} part ${part}`;
  return event.kind === 'closed' ? `closed ${span} ${event.reason}` : `${event.kind} ${span}`;
}

describe('Segmenter', () => {
  it('opens when the minimum was heard, and closes when the hangover is over', () => {
    assert.deepEqual(segment([...pause(4), ...speech(6), ...pause(10)]), [
      '6: opened 4–7 part 0',
      '14: closed 4–10 part 0 silence',
    ]);
  });

  it('takes no notice of what is shorter than the minimum', () => {
    assert.deepEqual(segment([...pause(4), ...speech(2), ...pause(10)]), []);
  });

  it('lets a beginning pause for as long as a consonant is closed', () => {
    assert.deepEqual(segment([...speech(1), ...pause(3), ...speech(2)]), [
      '5: opened 0–6 part 0',
      'end: closed 0–6 part 0 flush',
    ]);
    assert.deepEqual(segment([...speech(2), ...pause(4), ...speech(2), ...pause(9)]), []);
  });

  it('begins at the threshold and ends 0.15 below it', () => {
    assert.deepEqual(segment(speech(9, 0.49)), []);
    const told = segment([...speech(1, 0.5), ...speech(9, 0.36), ...speech(9, 0.34)]);
    assert.deepEqual(told, ['2: opened 0–3 part 0', '14: closed 0–10 part 0 silence']);
  });

  it('can end at any threshold', () => {
    const settings = { ...SETTINGS, threshold: 0.1 };
    assert.deepEqual(
      segment([...speech(4), ...speech(6, 0.005)], settings).at(-1),
      '8: closed 0–4 part 0 silence',
    );
  });

  it('bridges pauses that are shorter than the hangover', () => {
    assert.deepEqual(segment([...speech(4), ...pause(4), ...speech(4), ...pause(5)]), [
      '2: opened 0–3 part 0',
      '16: closed 0–12 part 0 silence',
    ]);
  });

  it('without minimum and hangover follows the threshold', () => {
    const settings = { ...SETTINGS, minSpeechMs: 0, hangoverMs: 0 };
    assert.deepEqual(segment([...pause(1), ...speech(1), ...pause(1)], settings), [
      '1: opened 1–2 part 0',
      '2: closed 1–2 part 0 silence',
    ]);
  });

  it('tells the mean probability of the speech, the hangover left out', () => {
    const segmenter = new Segmenter(SETTINGS);
    const events = [0.6, 0.8, 1, 0.8, ...pause(5)].flatMap((probability) => segmenter.push(probability, 1));
    assert.ok(Math.abs((events.at(-1)?.span.probability ?? 0) - 0.8) < 1e-12);
  });

  it('forgets at a flush what was too short to count', () => {
    const segmenter = new Segmenter(SETTINGS);
    segmenter.push(0.9, 1);
    assert.deepEqual(segmenter.flush(), []);
    assert.equal(segmenter.open, undefined);
  });

  describe('with too long an utterance', () => {
    const energies = (quiet: Record<number, number>): number[] =>
      Array.from({ length: 60 }, (_, i) => quiet[i] ?? 1);

    it('cuts in the middle of the quietest window of the last half', () => {
      assert.deepEqual(segment(speech(25), SETTINGS, energies({ 3: 0, 14: 0.2 })), [
        '2: opened 0–3 part 0',
        '19: cut 0–14.5 part 0',
        'end: closed 14.5–25 part 1 flush',
      ]);
    });

    it('prefers a pause between words to a closure inside one', () => {
      const [, cut] = segment(speech(25), SETTINGS, energies({ 12: 0.3, 13: 0.3, 14: 0.3, 17: 0.1 }));
      assert.equal(cut, '19: cut 0–13.5 part 0');
    });

    it('looks back 5 s at most', () => {
      const settings = { ...SETTINGS, maxUtteranceMs: 30_000 };
      const [, cut] = segment(speech(940), settings, [
        ...Array<number>(700).fill(0.5),
        ...Array<number>(240).fill(1),
      ]);
      assert.match(cut ?? '', /^936: cut 0–\d+\.5 part 0$/);
      assert.ok(Number(/–(\d+)/.exec(cut ?? '')?.[1]) >= 937 - 156);
    });

    it('leaves speech in every part: it never cuts behind the last word', () => {
      const told = segment([...speech(17), ...pause(2), ...pause(9)], SETTINGS, energies({ 18: 0 }));
      assert.deepEqual(told, [
        '2: opened 0–3 part 0',
        '19: cut 0–15.5 part 0',
        '21: closed 15.5–17 part 1 silence',
      ]);
    });

    it('is over when all that is recent is silence', () => {
      const settings = { ...SETTINGS, hangoverMs: 64 * 32 };
      assert.deepEqual(segment([...speech(6), ...pause(20)], settings), [
        '2: opened 0–3 part 0',
        '19: closed 0–6 part 0 max-length',
      ]);
    });
  });

  it('whatever it hears, tells parts that join, in order, none longer than the maximum', () => {
    const anySettings = fc.record({
      threshold: fc.double({ min: 0, max: 1, noNaN: true }),
      minSpeechMs: fc.integer({ min: 0, max: 500 }),
      hangoverMs: fc.integer({ min: 0, max: 1000 }),
      maxUtteranceMs: fc.integer({ min: 600, max: 4000 }),
    });
    const window = fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), energy: fc.nat(5) });
    fc.assert(
      fc.property(anySettings, fc.array(window, { maxLength: 400 }), (settings, windows) => {
        const segmenter = new Segmenter(settings);
        const events = windows.flatMap(({ probability, energy }) => segmenter.push(probability, energy));
        events.push(...segmenter.flush());
        let open: { end: number; part: number } | undefined;
        let last = 0;
        for (const { kind, span } of events) {
          if (kind === 'opened') {
            assert.equal(open, undefined);
            assert.ok(span.start >= last - WINDOW);
            open = { end: span.start, part: 0 };
          } else {
            assert.ok(open);
            assert.equal(span.start, open.end);
            assert.equal(span.part, open.part);
            assert.ok(span.end > span.start);
            assert.ok(span.end - span.start <= 16 * settings.maxUtteranceMs);
            open = kind === 'closed' ? undefined : { end: span.end, part: span.part + 1 };
          }
          last = span.end;
        }
        assert.equal(open, undefined);
      }),
    );
  });
});
