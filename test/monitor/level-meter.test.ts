/** The level meter: what it shows, of what, and for how long. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FLOOR_DBFS, LevelMeter } from '../../src/monitor/level-meter';
import { FakeClock } from '../nodes/fake-clock';
import { MONO, pcm, sine } from './support';

const SILENT = { peak: FLOOR_DBFS, rms: FLOOR_DBFS, hold: FLOOR_DBFS };

/** Feeds frames of 20 ms in real time. */
function feed(meter: LevelMeter, clock: FakeClock, ms: number, valueAt: (position: number) => number): void {
  for (let at = 0; at < ms; at += 20) {
    meter.push(pcm(480, valueAt, { position: at * 24 }));
    clock.advance(20);
  }
}

describe('LevelMeter', () => {
  it('shows −96 dBFS before any sound, and for digital silence', () => {
    const clock = new FakeClock();
    const meter = new LevelMeter(clock);
    assert.deepEqual(meter.read(), SILENT);
    feed(meter, clock, 400, () => 0);
    assert.deepEqual(meter.read(), SILENT);
  });

  for (const format of [
    MONO,
    { encoding: 'f32le', sampleRate: 44_100, channels: 2 },
    { encoding: 's16le', sampleRate: 8000, channels: 2 },
  ] as const) {
    it(`measures a sine of half of full scale, ${format.encoding} of ${format.sampleRate} Hz`, () => {
      const clock = new FakeClock();
      const meter = new LevelMeter(clock);
      for (let i = 0; i < 50; i++) {
        const samples = format.sampleRate / 50;
        meter.push(pcm(samples, sine(1000, 0.5, format), { format, position: i * samples }));
        clock.advance(20);
      }
      const { peak, rms, hold } = meter.read();
      // 20 log10(0.5), and 3.01 dB less for the RMS of a sine.
      assert.ok(Math.abs(rms - -9.03) < 0.05, `${rms}`);
      assert.ok(Math.abs(peak - -6.02) < 0.1, `${peak}`);
      assert.equal(hold, peak);
    });
  }

  it('is of the last 300 ms, and holds the peak for 2 s', () => {
    const clock = new FakeClock();
    const meter = new LevelMeter(clock);
    feed(meter, clock, 500, sine(1000, 0.5));
    clock.advance(200);
    assert.ok(Math.abs(meter.read().rms - -9.03) < 0.2, 'a pause of 200 ms: the 100 ms before it');
    clock.advance(120);
    assert.deepEqual({ ...meter.read(), hold: 0 }, { ...SILENT, hold: 0 });
    assert.ok(Math.abs(meter.read().hold - -6.02) < 0.1);
    clock.advance(1700);
    assert.deepEqual(meter.read(), SILENT);
  });

  it('lets a frame of a second count over a second, not all at once', () => {
    const clock = new FakeClock();
    const meter = new LevelMeter(clock);
    meter.push(pcm(24_000, (position) => (position < 12_000 ? 0.5 : 0)));
    clock.advance(400);
    assert.ok(meter.read().rms > -7);
    clock.advance(500);
    assert.equal(meter.read().rms, FLOOR_DBFS);
  });

  it('does not run behind after sound that came in a burst', () => {
    const clock = new FakeClock();
    const meter = new LevelMeter(clock);
    for (let i = 0; i < 100; i++) meter.push(pcm(480, sine(1000, 0.5)));
    feed(meter, clock, 360, () => 0);
    assert.equal(meter.read().rms, FLOOR_DBFS);
  });

  it('leaves out what is no number', () => {
    const format = { ...MONO, encoding: 'f32le' } as const;
    const clock = new FakeClock();
    const meter = new LevelMeter(clock);
    meter.push(pcm(480, (position) => (position % 2 ? NaN : position % 4 ? Infinity : 0.5), { format }));
    const { peak, rms } = meter.read();
    assert.ok(Math.abs(peak - -6.02) < 0.01);
    assert.ok(Number.isFinite(rms) && rms < peak);
  });
});
