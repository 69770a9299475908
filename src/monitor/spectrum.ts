/** The columns of a spectrogram: how loud each band of a wire is, 20 times a second. */
import { samplesInMs, type PcmFormat } from '../audio/format';
import { Fourier } from '../audio/fourier';
import type { PcmFrame } from '../audio/frame';
import { S16_FULL_SCALE, viewOf } from '../audio/samples';
import { FLOOR_DBFS } from './level-meter';
import { COLUMN_MS, COLUMN_ROWS } from './viewer-protocol';

/** Sound that a column is made of, ms, before it is rounded to a power of two of samples. */
const WINDOW_MS = 40;
/** Speech and most of music lie below. Hz */
const HIGHEST_HZ = 12_000;

/** Makes columns of sound of one format. */
export class Spectrum {
  private readonly fourier: Fourier;
  private readonly weights: Float64Array;
  /** The latest samples, mono; a ring. */
  private readonly ring: Float64Array;
  private readonly power: Float64Array;
  /** First and last bin of each row. */
  private readonly bands: readonly (readonly [number, number])[];
  private readonly hop: number;
  private at = 0;
  private sinceColumn = 0;

  constructor(readonly format: PcmFormat) {
    const { sampleRate } = format;
    const length = 2 ** Math.round(Math.log2((sampleRate * WINDOW_MS) / 1000));
    this.fourier = new Fourier(length);
    // Periodic Hann; a sine of full scale then has a magnitude of length / 4.
    this.weights = Float64Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length));
    this.ring = new Float64Array(length);
    this.power = new Float64Array(length / 2 + 1);
    this.hop = samplesInMs(sampleRate, COLUMN_MS);
    this.bands = bandsOf(length, sampleRate);
  }

  /** Takes the next frame; returns the columns that are whole: {@link COLUMN_ROWS} bytes each, the lowest band first. */
  push(frame: PcmFrame): Uint8Array[] {
    const { channels, encoding } = this.format;
    const samples = viewOf(frame.data, encoding);
    const scale = (encoding === 's16le' ? S16_FULL_SCALE : 1) * channels;
    const columns: Uint8Array[] = [];
    for (let i = 0; i + channels <= samples.length; i += channels) {
      const sum = (samples[i] ?? 0) + (channels === 2 ? (samples[i + 1] ?? 0) : 0);
      this.ring[this.at] = Number.isFinite(sum) ? sum / scale : 0;
      this.at = (this.at + 1) % this.ring.length;
      if (++this.sinceColumn === this.hop) {
        this.sinceColumn = 0;
        columns.push(this.column());
      }
    }
    return columns;
  }

  private column(): Uint8Array {
    const { ring, weights, at, power } = this;
    this.fourier.power(ring, at, weights, power);
    const fullScale = (ring.length / 4) ** 2;
    return Uint8Array.from(this.bands, ([first, last]) => {
      let most = 0;
      for (let bin = first; bin <= last; bin++) most = Math.max(most, power[bin] ?? 0);
      const db = 10 * Math.log10(most / fullScale);
      return Math.round(255 * Math.min(1, Math.max(0, 1 - db / FLOOR_DBFS)));
    });
  }
}

/** Rows that are equally high for the ear: the mel scale of O'Shaughnessy 1987. */
function bandsOf(length: number, sampleRate: number): [number, number][] {
  const highest = Math.min(HIGHEST_HZ, sampleRate / 2);
  const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
  const hz = (m: number): number => 700 * (10 ** (m / 2595) - 1);
  const binAt = (row: number): number => (hz((mel(highest) * row) / COLUMN_ROWS) * length) / sampleRate;
  return Array.from({ length: COLUMN_ROWS }, (_, row) => {
    const first = Math.round(binAt(row));
    return [first, Math.max(first, Math.round(binAt(row + 1)) - 1)];
  });
}
