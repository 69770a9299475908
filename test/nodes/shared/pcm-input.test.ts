import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PcmReader } from '../../../nodes/shared/pcm-input';
import { wavHeader } from '../../../src/audio/wav';
import { ramp, WIRE_DEFAULT } from '../../support/manual-source';

const SETTINGS = { inputEncoding: 's16le', inputSampleRate: 24000, inputChannels: 1 } as const;
const NOW = 1_700_000_000_000;
const PCM = ramp(WIRE_DEFAULT, 0, 200);
const STEREO = { ...WIRE_DEFAULT, channels: 2, sampleRate: 48000 } as const;

describe('PcmReader', () => {
  it('gives the same samples however they are cut, as PCM or as WAV', () => {
    const whole = [PCM, Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM])];
    const cuts = fc.array(fc.integer({ min: 12, max: 90 }), { minLength: 1 });
    fc.assert(
      fc.property(cuts, fc.constantFrom(...whole), (lengths, bytes) => {
        const reader = new PcmReader(SETTINGS);
        const out: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + lengths[i % lengths.length]!;
          out.push(reader.read({ payload: bytes.subarray(at, end) }, NOW)?.frame.data ?? Buffer.alloc(0));
          at = end;
        }
        assert.deepEqual(Buffer.concat(out), PCM);
      }),
    );
  });

  it('tells the time, place and gap that came, and whether a time came', () => {
    const reader = new PcmReader(SETTINGS);
    const audio = { ...STEREO, position: 96, time: 5.5, gap: 7, latencyMs: 2 };
    const input = reader.read({ payload: PCM, audio }, NOW);
    assert.equal(input?.timed, true);
    const { data, ...place } = input.frame;
    assert.deepEqual(data, PCM);
    assert.deepEqual(place, { format: STEREO, samples: 100, position: 96, time: 5.5, gap: 7, latencyMs: 2 });
    const untimed = reader.read({ payload: PCM }, NOW);
    assert.deepEqual([untimed?.timed, untimed?.frame.time], [false, NOW]);
  });

  it('takes the time of a WAV file for its beginning alone', () => {
    const reader = new PcmReader(SETTINGS);
    const audio = { encoding: 'wav', time: 5.5 };
    const file = Buffer.concat([wavHeader(STEREO, 50), PCM]);
    const first = reader.read({ payload: file.subarray(0, 100), audio }, NOW);
    assert.deepEqual([first?.timed, first?.frame.time, first?.frame.format], [true, 5.5, STEREO]);
    assert.equal(reader.read({ payload: file.subarray(100), audio }, NOW)?.timed, false);
  });

  it('begins anew with each file, and with what is described otherwise', () => {
    const reader = new PcmReader(SETTINGS);
    const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM]);
    reader.read({ payload: file.subarray(0, 61) }, NOW);
    assert.deepEqual(reader.read({ payload: file }, NOW)?.frame.data, PCM, 'no odd byte of a file before');
    reader.read({ payload: file.subarray(0, 60) }, NOW);
    assert.deepEqual(reader.read({ payload: PCM, audio: WIRE_DEFAULT }, NOW)?.frame.data, PCM);
    assert.deepEqual(reader.read({ payload: PCM }, NOW)?.frame.data, PCM, 'the file is over');
  });

  it('drops an odd byte where the format changes', () => {
    const reader = new PcmReader(SETTINGS);
    assert.equal(reader.read({ payload: PCM.subarray(0, 1) }, NOW), undefined);
    assert.deepEqual(reader.read({ payload: PCM, audio: STEREO }, NOW)?.frame.data, PCM);
  });

  it('reads none of the chunks that stand behind the sound of a file', () => {
    const reader = new PcmReader(SETTINGS);
    const trailer = Buffer.from('LIST\u0004\u0000\u0000\u0000INFO', 'latin1');
    const file = Buffer.concat([wavHeader(WIRE_DEFAULT, 200), PCM, trailer]);
    file.writeUInt32LE(file.length - 8, 4);
    assert.deepEqual(reader.read({ payload: file }, NOW)?.frame.data, PCM);
    assert.deepEqual(reader.read({ payload: PCM }, NOW)?.frame.data, PCM);
  });
});
