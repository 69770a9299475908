import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PcmFrame } from '../../src/audio/frame';
import { Runs } from '../../src/audio/runs';
import type { Transform } from '../../src/audio/transform';

function frame(position: number, change: Partial<PcmFrame> = {}): PcmFrame {
  const format = { encoding: 's16le', sampleRate: 24000, channels: 1 } as const;
  return { format, data: Buffer.alloc(20), samples: 10, position, time: 0, gap: 0, latencyMs: 0, ...change };
}

/** Writes down what each run is asked for. */
function recorder(
  options: { continues?: (run: unknown, frame: PcmFrame) => boolean; longestFilledGap?: () => number } = {},
) {
  const log: string[] = [];
  let made = 0;
  type Run = Transform<'s16le' | 'f32le', string> & { readonly name: string };
  const runs = new Runs<'s16le' | 'f32le', string, Run>({
    start(first, before) {
      const name = `run ${made++}`;
      log.push(`${name} from ${first.position} after ${before?.name ?? 'nothing'}`);
      return {
        name,
        push: ({ position }) => [`${name}: ${position}`],
        flush: () => [`${name}: rest`],
        close: () => log.push(`${name} closed`),
      };
    },
    ...options,
  });
  return { runs, log };
}

describe('a stream is cut into runs', () => {
  for (const [name, border] of [
    ['at a gap', frame(20, { gap: 10 })],
    ['at a jump', frame(30)],
    ['at a step back', frame(0)],
    ['at another format', frame(10, { format: { encoding: 's16le', sampleRate: 48000, channels: 1 } })],
  ] as const) {
    test(name, () => {
      const { runs, log } = recorder();
      assert.deepEqual(runs.push(frame(0)), ['run 0: 0']);
      assert.deepEqual(runs.push(border), ['run 0: rest', `run 1: ${border.position}`]);
      assert.deepEqual(log, [
        'run 0 from 0 after nothing',
        'run 0 closed',
        `run 1 from ${border.position} after run 0`,
      ]);
    });
  }

  test('and nowhere else', () => {
    const { runs, log } = recorder();
    for (let at = 0; at < 50; at += 10) assert.deepEqual(runs.push(frame(at)), [`run 0: ${at}`]);
    assert.deepEqual(runs.flush(), ['run 0: rest']);
    assert.deepEqual([runs.flush(), runs.current], [[], undefined]);
    assert.equal(log.length, 2);
  });

  test('by the transform, where it knows better', () => {
    const { runs } = recorder({ continues: (_run, { gap }) => gap < 100 });
    runs.push(frame(0));
    assert.deepEqual(runs.push(frame(60, { gap: 50 })), ['run 0: 60']);
    assert.deepEqual(runs.push(frame(500, { gap: 430 })), ['run 0: rest', 'run 1: 500']);
  });

  test('and not at a gap that the run fills itself', () => {
    const { runs } = recorder({ longestFilledGap: () => 10 });
    runs.push(frame(0));
    assert.deepEqual(runs.push(frame(20, { gap: 10 })), ['run 0: 20']);
    assert.deepEqual(runs.push(frame(41, { gap: 11 })), ['run 0: rest', 'run 1: 41'], 'too long');
    assert.deepEqual(runs.push(frame(70, { gap: 10 })), ['run 1: rest', 'run 2: 70'], 'a jump besides');
  });

  test('and not after a frame that was refused', () => {
    const failing = new Runs({
      start: () => ({
        push: ({ samples }: PcmFrame) => (samples > 10 ? assert.fail('refused') : ['sound']),
        flush: () => ['rest'],
        close: () => undefined,
      }),
    });
    failing.push(frame(0));
    assert.throws(() => failing.push(frame(10, { samples: 11 })));
    assert.deepEqual(failing.push(frame(10)), ['sound']);
  });

  test('and an empty frame brings nothing but its gap', () => {
    const { runs, log } = recorder();
    const empty = { data: Buffer.alloc(0), samples: 0 };
    assert.deepEqual(runs.push(frame(0, { ...empty, gap: 5 })), []);
    runs.push(frame(0));
    assert.deepEqual(runs.push(frame(10, empty)), []);
    assert.deepEqual(runs.push(frame(15, { ...empty, gap: 5 })), ['run 0: rest']);
    assert.deepEqual(runs.push(frame(15)), ['run 1: 15']);
    runs.close();
    assert.equal(log.at(-1), 'run 1 closed');
  });
});
