import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PcmFrame } from '../../src/audio/frame';
import type { PcmFormat } from '../../src/audio/format';
import { WIRE_FRAME_MS } from '../../src/protocol/stream-format';
import { Packetizer, type WireFrame } from '../../src/server/packetizer';
import { ramp, rampValue, SOURCE_EPOCH, WIRE_DEFAULT } from '../support/manual-source';

const FRAME = 480;
const HEADER = 4;

function frameAt(position: number, samples: number, gap = 0, format: PcmFormat = WIRE_DEFAULT): PcmFrame {
  return {
    format,
    data: ramp(format, position, samples),
    samples,
    position,
    time: SOURCE_EPOCH + (position * 1000) / format.sampleRate,
    gap,
    latencyMs: 0,
  };
}

function samplesOf(frames: readonly WireFrame[]): number[] {
  return frames.flatMap(({ bytes }) =>
    Array.from({ length: (bytes.length - HEADER) / 2 }, (_, i) => bytes.readInt16LE(HEADER + i * 2)),
  );
}

describe('Packetizer', () => {
  it('passes whole frames on, each with its place', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    const frames = [0, 480, 960].flatMap((position) => packetizer.push(frameAt(position, FRAME)));
    assert.deepEqual(
      frames.map(({ position, time }) => ({ position, time: time - SOURCE_EPOCH })),
      [
        { position: 0, time: 0 },
        { position: 480, time: 20 },
        { position: 960, time: 40 },
      ],
    );
    assert.deepEqual([...frames[0]!.bytes.subarray(0, HEADER)], [0x82, 126, 960 >> 8, 960 & 0xff]);
    assert.equal(samplesOf(frames)[500], rampValue(500));
  });

  it('lays frame borders where chunks end: of 10 ms chunks, each second one completes a frame', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    const counts = [0, 240, 480, 720, 960].map((position) => packetizer.push(frameAt(position, 240)).length);
    assert.deepEqual(counts, [1, 0, 1, 0, 1]);
  });

  it('begins the first frame with silence, timed before the first sample', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    const [first] = packetizer.push(frameAt(1000, 240));
    const samples = samplesOf([first!]);
    assert.deepEqual(new Set(samples.slice(0, 240)), new Set([0]));
    assert.equal(samples[240], rampValue(1000));
    assert.equal(first!.position, 0);
    assert.equal(first!.time, SOURCE_EPOCH + (760 * 1000) / 24000);
  });

  it('turns a hole of up to 100 ms into silence', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    packetizer.push(frameAt(0, FRAME));
    const frames = packetizer.push(frameAt(480 + 2400, FRAME, 2400));
    assert.equal(frames.length, 6);
    assert.deepEqual(new Set(samplesOf(frames.slice(0, 5))), new Set([0]));
    assert.equal(frames.at(-1)!.position, 2880);
    assert.equal(samplesOf(frames.slice(-1))[0], rampValue(2880));
  });

  it('skips the rest of a longer hole, counts it in the position, and stays on its borders', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    packetizer.push(frameAt(0, 240));
    packetizer.push(frameAt(240, 240));
    const gap = 48_000;
    const frames = packetizer.push(frameAt(480 + gap, 240, gap));
    const silent = samplesOf(frames).filter((sample) => sample === 0).length;
    assert.ok(silent <= 2400, `${silent} samples of silence`);
    const last = frames.at(-1)!;
    assert.equal(last.position, 480 + gap, 'the first frame began with 240 samples of silence');
    assert.equal(
      last.time,
      SOURCE_EPOCH + ((240 + gap) * 1000) / 24000,
      'the border lies where the chunk ends',
    );
    assert.equal(samplesOf([last]).at(-1), rampValue(480 + gap + 239));
  });

  it('follows chunks that have moved, in digital silence, by a skip that is told', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    const silent = (position: number, samples: number): PcmFrame => ({
      ...frameAt(position, samples),
      data: Buffer.alloc(samples * 2),
    });
    packetizer.push(frameAt(0, FRAME));
    let position = FRAME;
    const frames: WireFrame[] = [];
    const take = (frame: PcmFrame): number => {
      const some = packetizer.push(frame);
      frames.push(...some);
      position += frame.samples;
      return some.length;
    };
    take(silent(position, 100));
    for (let i = 0; i < 60; i++) take(silent(position, 240));
    const skips = frames.slice(1).map((frame, i) => frame.position - frames[i]!.position - FRAME);
    assert.deepEqual(
      skips.filter((skip) => skip !== 0),
      [100],
    );
    const last = frames.at(-1)!;
    assert.equal(last.time, SOURCE_EPOCH + (last.position * 1000) / 24000);
    take(silent(position, 240));
    assert.equal((position - frames.at(-1)!.position) % 240, 0, 'frames end where chunks end again');
  });

  it('never skips sound, however late that makes it', () => {
    const packetizer = new Packetizer(WIRE_DEFAULT);
    packetizer.push(frameAt(0, FRAME));
    let position = FRAME;
    const frames: WireFrame[] = [];
    for (const samples of [100, ...Array<number>(60).fill(240)]) {
      frames.push(...packetizer.push(frameAt(position, samples)));
      position += samples;
    }
    assert.deepEqual(
      frames.map((frame) => frame.position),
      frames.map((_, i) => (i + 1) * FRAME),
    );
  });

  it('gives the same samples at the same places however the input is cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 30 });
    const gaps = fc.array(fc.constantFrom(0, 0, 0, 100, 2400, 2401, 5000, 100_000), {
      minLength: 30,
      maxLength: 30,
    });
    fc.assert(
      fc.property(cuts, gaps, (lengths, holes) => {
        const packetizer = new Packetizer(WIRE_DEFAULT);
        let position = 0;
        let base: number | undefined;
        let expected = 0;
        lengths.forEach((length, i) => {
          const gap = i === 0 ? 0 : holes[i]!;
          position += gap;
          for (const frame of packetizer.push(frameAt(position, length, gap))) {
            base ??= (480 - (length % 480)) % 480;
            assert.ok(frame.position >= expected, 'no place is given twice');
            expected = frame.position + FRAME;
            samplesOf([frame]).forEach((sample, index) => {
              const at = frame.position + index - base!;
              assert.ok(sample === 0 || sample === rampValue(at), `sample ${at} is ${sample}`);
            });
          }
          position += length;
        });
      }),
      { numRuns: 60 },
    );
  });

  for (const frameMs of WIRE_FRAME_MS) {
    it(`keeps every sample at its place in frames of ${frameMs} ms, through gaps of any length`, () => {
      const chunk = 240;
      const size = frameMs * 24;
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(12_000), fc.integer({ min: 1, max: 30 })), { maxLength: 6 }),
          (runs) => {
            const packetizer = new Packetizer(WIRE_DEFAULT, frameMs);
            const out: WireFrame[] = [];
            let position = 0;
            const base = (size - (chunk % size)) % size;
            for (const [gap, chunks] of [[0, 30], ...runs] as [number, number][]) {
              position += gap;
              for (let i = 0; i < chunks; i++, position += chunk) {
                out.push(...packetizer.push(frameAt(position, chunk, i === 0 ? gap : 0)));
              }
            }
            let end = 0;
            for (const frame of out) {
              assert.equal(frame.payloadBytes, size * 2);
              assert.ok(frame.position >= end, 'frames do not overlap');
              end = frame.position + size;
              samplesOf([frame]).forEach((value, i) => {
                const at = frame.position + i - base;
                if (value !== 0) assert.equal(value, rampValue(at));
              });
            }
          },
        ),
        { numRuns: 30 },
      );
    });
  }
});
