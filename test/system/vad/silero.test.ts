import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Silero, SILERO_WINDOW } from '../../../src/vad/silero';
import { OnnxSilero } from '../../vad/onnx-silero';
import { allRecordings, floatsOf, recording, whiteNoise } from '../../vad/recordings';
import { needs } from '../../support/needs';

const ROOT = join(__dirname, '../../..');

describe('Silero', () => {
  let oracle: OnnxSilero;
  before(async () => {
    oracle = await OnnxSilero.load();
  });

  async function compare(samples: Float32Array): Promise<{ windows: number; worst: number }> {
    const silero = new Silero();
    oracle.reset();
    let worst = 0;
    let windows = 0;
    for (let at = 0; at + SILERO_WINDOW <= samples.length; at += SILERO_WINDOW, windows++) {
      const window = samples.subarray(at, at + SILERO_WINDOW);
      worst = Math.max(worst, Math.abs(silero.process(window) - (await oracle.process(window))));
    }
    return { windows, worst };
  }

  it('agrees with onnxruntime-web to 1e-5 on clean speech', needs('pocketsphinx-testdata'), async () => {
    const { windows, worst } = await compare(floatsOf(allRecordings()));
    assert.ok(windows >= 500, `${windows} windows are too few`);
    assert.ok(worst <= 1e-5, `differs by ${worst}`);
  });

  it('agrees to 1e-4 on speech under noise as loud as it', needs('pocketsphinx-testdata'), async () => {
    const speech = floatsOf(allRecordings());
    const noise = whiteNoise(speech.length, 0.2);
    const { worst } = await compare(speech.map((sample, i) => sample + (noise[i] ?? 0)));
    assert.ok(worst <= 1e-4, `differs by ${worst}`);
  });

  it('agrees on noise, on silence, and on full-scale square waves', async () => {
    for (const samples of [
      whiteNoise(64 * SILERO_WINDOW, 1),
      new Float32Array(16 * SILERO_WINDOW),
      new Float32Array(32 * SILERO_WINDOW).map((_, i) => (i % 64 < 32 ? 1 : -1)),
    ]) {
      const { worst } = await compare(samples);
      assert.ok(worst <= 1e-4, `differs by ${worst}`);
    }
  });

  it('keeps streams apart, and forgets one on reset', needs('pocketsphinx-testdata'), () => {
    const speech = floatsOf(recording('goforward.raw'));
    const run = (silero: Silero, between: () => void = () => undefined): number[] => {
      const probabilities = [];
      for (let at = 0; at + SILERO_WINDOW <= speech.length; at += SILERO_WINDOW) {
        probabilities.push(silero.process(speech.subarray(at, at + SILERO_WINDOW)));
        between();
      }
      return probabilities;
    };
    const silero = new Silero();
    const alone = run(silero);
    silero.reset();
    const other = new Silero();
    const noise = whiteNoise(SILERO_WINDOW, 0.5);
    assert.deepEqual(
      run(silero, () => other.process(noise)),
      alone,
    );
  });

  it('refuses a window of another length', () => {
    assert.throws(() => new Silero().process(new Float32Array(480)), /480 samples, not 512/);
  });
});

describe('silero-v6.bin', () => {
  it('is what the extraction script takes out of the model', () => {
    const folder = mkdtempSync(join(tmpdir(), 'silero-'));
    try {
      const file = join(folder, 'weights.bin');
      const script = join(ROOT, 'scripts/extract-silero.mjs');
      const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.ok(readFileSync(file).equals(readFileSync(join(ROOT, 'src/vad/silero-v6.bin'))));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
