import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { Receiver, type Gap } from '../../src/client/receiver';
import { FakeClock } from '../nodes/fake-clock';
import { frameBytes, MONO_24K } from './rig';

const STEREO_44K: PcmFormat = { encoding: 's16le', sampleRate: 44100, channels: 2 };

interface Setup {
  readonly receiver: Receiver;
  readonly gaps: Gap[];
  readonly clock: FakeClock;
}

function setUp(options: { format?: PcmFormat; frameMs?: number; fillGaps?: boolean } = {}): Setup {
  const clock = new FakeClock();
  const gaps: Gap[] = [];
  const { format = MONO_24K, frameMs = 20, fillGaps = true } = options;
  const receiver = new Receiver({ format, frameMs, fillGaps, clock }, (gap) => gaps.push(gap));
  return { receiver, gaps, clock };
}

/** Takes `bytes` in pieces of these lengths, and what remains in one. */
function takeInPieces(receiver: Receiver, bytes: Buffer, lengths: readonly number[]): PcmFrame[] {
  const frames: PcmFrame[] = [];
  let start = 0;
  for (const length of [...lengths, bytes.length]) {
    frames.push(...receiver.push(bytes.subarray(start, start + length)));
    start = Math.min(bytes.length, start + length);
  }
  return frames;
}

const heard = (frames: readonly PcmFrame[]): Buffer => Buffer.concat(frames.map((frame) => frame.data));

describe('a receiver', () => {
  it('makes the same frames of the same bytes, however they are cut', () => {
    const bytes = frameBytes(0, 10_000);
    for (const format of [MONO_24K, STEREO_44K]) {
      const whole = takeInPieces(setUp({ format }).receiver, bytes, []);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 40 }), (lengths) => {
          const cut = takeInPieces(setUp({ format }).receiver, bytes, lengths);
          assert.deepEqual(
            cut.map(({ position, samples, gap, data }) => ({ position, samples, gap, data })),
            whole.map(({ position, samples, gap, data }) => ({ position, samples, gap, data })),
          );
        }),
        { numRuns: 50 },
      );
    }
  });

  it('loses no byte, and gives the tail at the end', () => {
    const { receiver } = setUp();
    const bytes = frameBytes(0, 1000);
    const frames = takeInPieces(receiver, bytes, [7, 1, 1, 333]);
    assert.deepEqual(
      frames.map((frame) => frame.samples),
      [480, 480],
    );
    const tail = receiver.flush();
    assert.ok(tail);
    assert.deepEqual([tail.position, tail.samples], [960, 40]);
    assert.deepEqual(heard([...frames, tail]), bytes);
    assert.equal(receiver.flush(), undefined);
  });

  it('passes everything on as it arrives where frameMs is 0', () => {
    const { receiver } = setUp({ frameMs: 0 });
    const frames = takeInPieces(receiver, frameBytes(0, 100), [20, 100]);
    assert.deepEqual(
      frames.map(({ samples, position }) => [samples, position]),
      [
        [10, 0],
        [50, 10],
        [40, 60],
      ],
    );
  });

  it('copies nothing that is one frame already', () => {
    const bytes = frameBytes();
    assert.equal(setUp().receiver.push(bytes)[0]?.data.buffer, bytes.buffer);
  });

  it('puts silence in place of what the server dropped, and says so first', () => {
    const { receiver, gaps } = setUp();
    receiver.announce({ type: 'clock', position: 0, time: 1000, dropped: 0 });
    receiver.push(frameBytes());
    receiver.announce({ type: 'clock', position: 480 + 960, time: 1060, dropped: 960 });
    const frames = receiver.push(frameBytes(1));
    assert.deepEqual(gaps, [{ samples: 960, filled: 960, position: 480, time: 1020 }]);
    assert.deepEqual(
      frames.map(({ position, time, gap, samples }) => ({ position, time, gap, samples })),
      [
        { position: 480, time: 1020, gap: 0, samples: 480 },
        { position: 960, time: 1040, gap: 0, samples: 480 },
        { position: 1440, time: 1060, gap: 0, samples: 480 },
      ],
    );
    assert.ok(frames[0]?.data.every((byte) => byte === 0));
    assert.deepEqual(frames[2]?.data, frameBytes(1));
  });

  it('goes on ending its frames where the server does, however little was dropped', () => {
    const { receiver } = setUp();
    receiver.announce({ type: 'clock', position: 0, time: 1000, dropped: 0 });
    receiver.push(frameBytes());
    receiver.announce({ type: 'clock', position: 480 + 60, time: 1022.5, dropped: 60 });
    const frames = receiver.push(frameBytes(1));
    assert.deepEqual(
      frames.map(({ position, time, gap, samples }) => ({ position, time, gap, samples })),
      [
        { position: 480, time: 1020, gap: 0, samples: 60 },
        { position: 540, time: 1022.5, gap: 0, samples: 480 },
      ],
    );
    assert.deepEqual(frames[1]?.data, frameBytes(1), 'nothing waits for the next message');
  });

  it('fills 2 s at most; the rest stays a gap', () => {
    const { receiver, gaps } = setUp();
    receiver.announce({ type: 'clock', position: 0, time: 0, dropped: 0 });
    receiver.push(frameBytes());
    receiver.announce({ type: 'clock', position: 480 + 72_000, time: 3020, dropped: 72_000 });
    const frames = receiver.push(frameBytes());
    assert.deepEqual(gaps[0], { samples: 72_000, filled: 48_000, position: 480, time: 20 });
    assert.equal(frames.length, 101);
    assert.deepEqual(
      frames.slice(-2).map(({ position, gap, time }) => ({ position, gap, time })),
      [
        { position: 48_000, gap: 0, time: 2000 },
        { position: 72_480, gap: 24_000, time: 3020 },
      ],
    );
  });

  it('makes no more silence than time passes, however much a server says was lost', () => {
    const { receiver, gaps, clock } = setUp();
    let position = 0;
    receiver.announce({ type: 'clock', position, time: 0, dropped: 0 });
    receiver.push(frameBytes());
    const lose = (): void => {
      position += 480 + 48_000;
      receiver.announce({ type: 'clock', position, time: 0, dropped: 48_000 });
      receiver.push(frameBytes());
    };
    for (let i = 0; i < 3; i++) lose();
    clock.advance(500);
    lose();
    assert.deepEqual(
      gaps.map(({ filled }) => filled),
      [48_000, 0, 0, 12_000],
    );
  });

  it('leaves gaps as they are where it is told to; the part of a frame goes first', () => {
    const { receiver, gaps } = setUp({ fillGaps: false });
    receiver.announce({ type: 'clock', position: 0, time: 0, dropped: 0 });
    receiver.push(frameBytes(0, 100));
    receiver.announce({ type: 'clock', position: 340, time: 15, dropped: 240 });
    const frames = receiver.push(frameBytes());
    assert.deepEqual(
      frames.map(({ position, gap, samples }) => ({ position, gap, samples })),
      [
        { position: 0, gap: 0, samples: 100 },
        { position: 340, gap: 240, samples: 480 },
      ],
    );
    assert.equal(gaps[0]?.filled, 0);
  });

  it('drops half a sample at a gap: its other half is gone', () => {
    const { receiver } = setUp({ frameMs: 0, fillGaps: false });
    receiver.announce({ type: 'clock', position: 0, time: 0, dropped: 0 });
    receiver.push(Buffer.from([1, 0, 2]));
    receiver.announce({ type: 'clock', position: 10, time: 1, dropped: 9 });
    assert.deepEqual(receiver.push(Buffer.from([3, 0]))[0]?.data, Buffer.from([3, 0]));
  });
});
