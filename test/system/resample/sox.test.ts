/** Noise beside sox. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { Resampler } from '../../../src/resample/resampler';
import { channelOf, EDGE_S, format, middle, PAIRS, snrOf, tone } from '../../resample/signals';
import { needs } from '../../support/needs';

/** What `sox rate -v` makes of s16 samples. */
function sox(data: Buffer, from: number, to: number): Buffer {
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1'];
  const args = ['-D', ...raw, '-r', String(from), '-', ...raw, '-r', String(to), '-', 'rate', '-v'];
  return execFileSync('sox', args, { input: data, maxBuffer: 2 ** 24, stdio: ['pipe', 'pipe', 'ignore'] });
}

describe('resampling s16 at `high`', () => {
  test('leaves no more noise than sox does, by 0.3 dB, for all 30 pairs of rates', needs('sox'), () => {
    for (const [from, to] of PAIRS) {
      const input = tone(format(from), from, 1000, 0.5);
      const resampler = new Resampler({ sampleRate: to, quality: 'high' });
      const ours = [...resampler.push(input), ...resampler.flush()];
      const theirs = { ...input, format: format(to), data: sox(input.data, from, to) };
      const edge = Math.round(to * EDGE_S);
      const [own, gold] = [ours, [theirs]].map((out) => snrOf(middle(channelOf(out), edge), 1000, to));
      assert(own! >= gold! - 0.3, `${from} to ${to}: ${own!.toFixed(2)} dB, sox ${gold!.toFixed(2)} dB`);
    }
  });
});
