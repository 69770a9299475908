/** Opus packets from the wire: each a frame at its place, and what can't be read counts as lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OrgoError } from '../../src/audio/errors';
import type { AudioFormat } from '../../src/audio/format';
import { OpusReceiver } from '../../src/client/opus-receiver';
import type { Gap } from '../../src/client/receiver';
import { FakeClock } from '../nodes/fake-clock';

const T = 1_763_842_000_000;
/** Packets of one byte (RFC 6716 table 2): silence of CELT, 20 and 10 ms; of SILK, 60 ms. */
const MS_20 = Buffer.of(0xf8);
const MS_10 = Buffer.of(0xf0);
const MS_60 = Buffer.of(0x18);

function setUp(sampleRate = 48_000): {
  receiver: OpusReceiver;
  gaps: Gap[];
  notices: OrgoError[];
} {
  const format: AudioFormat<'opus'> = { encoding: 'opus', sampleRate, channels: 1 };
  const gaps: Gap[] = [];
  const notices: OrgoError[] = [];
  const receiver = new OpusReceiver(
    { format, preSkip: 312, clock: new FakeClock() },
    (gap) => gaps.push(gap),
    (notice) => notices.push(notice),
  );
  return { receiver, gaps, notices };
}

describe('a receiver of Opus', () => {
  it('gives each packet the place that the server said, and counts on from there', () => {
    const { receiver } = setUp(44_100);
    receiver.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    const frames = [MS_20, MS_60, MS_10, MS_20].flatMap((packet) => receiver.push(packet));
    assert.deepEqual(
      frames.map(({ samples, position, time, gap, preSkip }) => [samples, position, time - T, gap, preSkip]),
      [
        [882, 0, 0, 0, 312],
        [2646, 882, 20, 0, 312],
        [441, 3528, 80, 0, 312],
        [882, 3969, 90, 0, 312],
      ],
    );
    assert.equal(frames[1]?.data, MS_60, 'the packet as it came');
    assert.equal(receiver.exact, true);
  });

  it('leaves what the server left out a gap, whatever its length', () => {
    const { receiver, gaps } = setUp();
    receiver.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    receiver.push(MS_20);
    receiver.announce({ type: 'clock', position: 48_960, time: T + 1020, dropped: 48_000 });
    const [frame] = receiver.push(MS_20);
    assert.deepEqual([frame?.gap, frame?.position], [48_000, 48_960]);
    assert.deepEqual(gaps, [{ samples: 48_000, filled: 0, position: 960, time: T + 20 }]);
  });

  it('counts what is no packet as lost, in the length of the last one, and says so once', () => {
    const { receiver, gaps, notices } = setUp();
    receiver.announce({ type: 'clock', position: 0, time: T, dropped: 0 });
    receiver.push(MS_10);
    for (const bytes of [Buffer.alloc(0), Buffer.from('RIFF, not Opus'), Buffer.alloc(100_000)]) {
      assert.deepEqual(receiver.push(bytes), []);
    }
    const [frame] = receiver.push(MS_20);
    assert.deepEqual([frame?.gap, frame?.position, frame?.time], [1440, 1920, T + 40]);
    assert.deepEqual(gaps, [{ samples: 1440, filled: 0, position: 480, time: T + 10 }]);
    assert.equal(notices.length, 1);
    assert.match(notices[0]?.message ?? '', /0 bytes that are no Opus packet/);
  });
});
