/** The columns of the spectrogram: the band of a tone, its loudness, and how many there are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fourier } from '../../src/audio/fourier';
import { Spectrum } from '../../src/monitor/spectrum';
import { COLUMN_ROWS } from '../../src/monitor/viewer-protocol';
import type { PcmFormat } from '../../src/audio/format';
import { MONO, pcm, sine } from './support';

/** The row with the most in it, and how much. */
function loudest(column: Uint8Array | undefined): { row: number; value: number } {
  const value = Math.max(...(column ?? []));
  return { row: column?.indexOf(value) ?? -1, value };
}

/** The row of `hz` on the mel scale up to `highest`. */
function rowOf(hz: number, highest: number): number {
  const mel = (f: number): number => 2595 * Math.log10(1 + f / 700);
  return Math.floor((mel(hz) / mel(highest)) * COLUMN_ROWS);
}

describe('Spectrum', () => {
  for (const [format, highest] of [
    [MONO, 12_000],
    [{ encoding: 'f32le', sampleRate: 48_000, channels: 2 }, 12_000],
    [{ encoding: 's16le', sampleRate: 8000, channels: 1 }, 4000],
  ] as const satisfies readonly (readonly [PcmFormat, number])[]) {
    it(`shows a tone where it is, as loud as it is: ${format.sampleRate} Hz`, () => {
      for (const hz of [500, 1000, 3000]) {
        const columns = new Spectrum(format).push(pcm(format.sampleRate, sine(hz, 0.5, format), { format }));
        assert.equal(columns.length, 20, '20 in a second');
        const { row, value } = loudest(columns[10]);
        assert.ok(Math.abs(row - rowOf(hz, highest)) <= 1, `${hz} Hz in row ${row}`);
        // −6 dB of 96, and up to 1.4 dB between two bins.
        assert.ok(value >= 255 * (1 - 7.6 / 96) && value <= 255 * (1 - 5.9 / 96), `${value}`);
      }
    });
  }

  it('is the same however the sound is cut, and black for silence', () => {
    const whole = pcm(6000, sine(1000, 0.5));
    const cut = new Spectrum(MONO);
    const pieces = [0, 7, 900, 1201, 4999, 6000].flatMap((from, i, all) => {
      const samples = (all[i + 1] ?? from) - from;
      return cut.push({ ...whole, data: whole.data.subarray(from * 2, (from + samples) * 2), samples });
    });
    assert.deepEqual(pieces, new Spectrum(MONO).push(whole));
    const [silent] = new Spectrum(MONO).push(pcm(1200, () => 0));
    assert.deepEqual(silent, new Uint8Array(COLUMN_ROWS));
  });

  it('survives what is no number', () => {
    const format = { ...MONO, encoding: 'f32le' } as const;
    const spectrum = new Spectrum(format);
    spectrum.push(pcm(2400, () => NaN, { format }));
    assert.ok(loudest(spectrum.push(pcm(2400, sine(1000, 0.5), { format }))[1]).value > 200);
  });
});

describe('Fourier', () => {
  it('has the power that a direct sum has', () => {
    const length = 16;
    const signal = Float64Array.from({ length }, (_, n) => Math.sin(n * n) + 0.3);
    const power = new Float64Array(length / 2 + 1);
    // The ring begins in its middle.
    const ring = Float64Array.from({ length }, (_, n) => signal[(n + 11) % length] ?? 0);
    new Fourier(length).power(ring, 5, new Float64Array(length).fill(1), power);
    for (const [k, found] of power.entries()) {
      let [re, im] = [0, 0];
      for (const [n, x] of signal.entries()) {
        re += x * Math.cos((2 * Math.PI * k * n) / length);
        im += x * Math.sin((2 * Math.PI * k * n) / length);
      }
      assert.ok(Math.abs(found - (re * re + im * im)) < 1e-9, `bin ${k}`);
    }
  });

  it('refuses a length that is no power of two', () => {
    assert.throws(() => new Fourier(12), RangeError);
  });
});
