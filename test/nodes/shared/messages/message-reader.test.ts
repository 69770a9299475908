import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MessageReader } from '../../../../nodes/shared/messages/message-reader';
import { wavHeader } from '../../../../src/containers/wav-header';
import { FakeClock } from '../../fake-clock';
import { ramp, WIRE_DEFAULT } from '../../../support/manual-source';

const SETTINGS = { inputEncoding: 's16le', inputSampleRate: 24000, inputChannels: 1 } as const;

const PCM = ramp(WIRE_DEFAULT, 0, 200);
const STEREO = { ...WIRE_DEFAULT, channels: 2, sampleRate: 48000 } as const;

function reading(clock = new FakeClock()): MessageReader {
  return new MessageReader({ settings: SETTINGS, encodings: ['s16le', 'f32le'] }, clock);
}

describe('MessageReader', () => {
  it('gives the same samples however they are cut, as PCM or as WAV', () => {
    const whole = [PCM, Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM])];
    const cuts = fc.array(fc.integer({ min: 12, max: 90 }), { minLength: 1 });
    fc.assert(
      fc.property(cuts, fc.constantFrom(...whole), (lengths, bytes) => {
        const reader = reading();
        const out: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + lengths[i % lengths.length]!;
          out.push(reader.read({ payload: bytes.subarray(at, end) }).frame?.data ?? Buffer.alloc(0));
          at = end;
        }
        assert.deepEqual(Buffer.concat(out), PCM);
      }),
    );
  });

  it('tells the time, place and gap that came, and whether a time came', () => {
    const reader = reading();
    const audio = { ...STEREO, position: 96, time: 5.5, gap: 7, latencyMs: 2 };
    const input = reader.read({ payload: PCM, audio });
    assert.equal(input.timed, true);
    const { data, ...place } = input.frame!;
    assert.deepEqual(data, PCM);
    assert.deepEqual(place, { format: STEREO, samples: 100, position: 96, time: 5.5, gap: 7, latencyMs: 2 });
    const untimed = reader.read({ payload: PCM });
    assert.equal(untimed.timed, false);
  });

  it('takes the time of a WAV file for its beginning alone', () => {
    const reader = reading();
    const audio = { encoding: 'wav', time: 5.5 };
    const file = Buffer.concat([wavHeader(STEREO, 50), PCM]);
    const first = reader.read({ payload: file.subarray(0, 100), audio });
    assert.deepEqual([first.timed, first.frame?.time, first.frame?.format], [true, 5.5, STEREO]);
    assert.equal(reader.read({ payload: file.subarray(100), audio }).timed, false);
  });

  it('begins anew with each file, and with what is described otherwise', () => {
    const reader = reading();
    const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM]);
    reader.read({ payload: file.subarray(0, 61) });
    assert.deepEqual(reader.read({ payload: file }).frame?.data, PCM, 'no odd byte of a file before');
    reader.read({ payload: file.subarray(0, 60) });
    assert.deepEqual(reader.read({ payload: PCM, audio: WIRE_DEFAULT }).frame?.data, PCM);
    assert.deepEqual(reader.read({ payload: PCM }).frame?.data, PCM, 'the file is over');
  });

  it('drops an odd byte where the format changes', () => {
    const reader = reading();
    assert.equal(reader.read({ payload: PCM.subarray(0, 1) }).frame?.samples, 0);
    assert.deepEqual(reader.read({ payload: PCM, audio: STEREO }).frame?.data, PCM);
  });

  it('reads none of the chunks that stand behind the sound of a file', () => {
    const reader = reading();
    const trailer = Buffer.from('LIST\u0004\u0000\u0000\u0000INFO', 'latin1');
    const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM, trailer]);
    file.writeUInt32LE(file.length - 8, 4);
    assert.deepEqual(reader.read({ payload: file }).frame?.data, PCM);
    assert.deepEqual(reader.read({ payload: PCM }).frame?.data, PCM);
  });

  it('follows the wall clock when that is set: an estimated time moves with it at once', () => {
    const clock = new FakeClock();
    const reader = reading(clock);
    const timeOf = (): number => reader.read({ payload: PCM }).frame!.time;
    const ms = 200 / 24;
    const first = timeOf();
    clock.advance(ms);
    assert(Math.abs(timeOf() - first - ms) < 0.01);
    clock.epoch += 3_600_000;
    clock.advance(ms);
    assert(Math.abs(timeOf() - first - 2 * ms - 3_600_000) < 0.01);
    clock.epoch -= 7_200_000;
    clock.advance(ms);
    assert(Math.abs(timeOf() - first - 3 * ms + 3_600_000) < 0.01);
  });

  it('keeps streams apart that come to one input: the one is no gap in the other', () => {
    const reader = reading();
    const from = (stream: string, position: number) =>
      reader.read({ payload: PCM, audio: { ...WIRE_DEFAULT, stream, position } });
    from('a', 1000);
    const other = from('b', 50_000);
    assert.deepEqual([other.frame?.position, other.frame?.gap, other.startsOver], [50_000, 0, true]);
    assert.deepEqual(from('b', 50_210).frame?.gap, 10);
    assert.deepEqual(from('a', 1200).frame?.gap, 0);
  });

  it('takes PCM that comes after a WAV file for what it is, whatever length the file claimed', () => {
    const lengths: [riff: number, data: number][] = [
      [0xffffffff, 400],
      [0xfffffffe, 400],
      [0x7fffffff, 400],
      [0, 400],
    ];
    for (const [riff, data] of lengths) {
      const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM]);
      file.writeUInt32LE(riff, 4);
      file.writeUInt32LE(data, 40);
      const reader = reading();
      assert.deepEqual(reader.read({ payload: file }).frame?.data, PCM);
      const next = reader.read({ payload: PCM }).frame?.data;
      assert.deepEqual(next, PCM, `RIFF of ${riff} bytes`);
    }
    const endless = reading();
    endless.read({ payload: Buffer.concat([wavHeader(STEREO), PCM]) });
    assert.deepEqual(endless.read({ payload: PCM }).frame?.format, STEREO, 'its sound goes on');
    endless.read({ payload: PCM, audio: WIRE_DEFAULT });
    assert.deepEqual(endless.read({ payload: PCM }).frame?.format, WIRE_DEFAULT, 'the file is over');
  });
});
