/** What no library may see, and what is refused in words; nothing ends the process. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OrgoError, type OrgoErrorCode } from '../../src/audio/errors';
import type { AudioFrame } from '../../src/audio/frame';
import { OpusCodec } from '../../src/opus/codec';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder, type OpusFrame } from '../../src/opus/encoder';
import { OggEncoder } from '../../src/containers/ogg-encoder';
import { writePage } from '../../src/containers/ogg-page';
import { parsePacket } from '../../src/opus/packet';
import type { OpusEncoderSettings } from '../../src/opus/settings';
import { loadWasmLibrary } from '../../src/opus/wasm-library';
import { describeLibraries } from './support/libraries';
import { frameOf, s16, START_TIME, sweep, totalSamples } from './support/sound';

const FORMAT = s16(48000, 2);

function refused(code: OrgoErrorCode, text: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof OrgoError && error.code === code && text.test(error.message);
}

function opus(data: Buffer, format: Partial<OpusFrame['format']> = {}): OpusFrame {
  return {
    format: { encoding: 'opus', sampleRate: 48000, channels: 2, ...format },
    data,
    samples: 960,
    position: 0,
    time: START_TIME,
    gap: 0,
    latencyMs: 0,
  };
}

function ogg(data: Buffer): AudioFrame<'ogg'> {
  return { ...opus(data), format: { encoding: 'ogg', sampleRate: 48000, channels: 2 }, samples: 0 };
}

describeLibraries((library, { test }) => {
  test('a Buffer that is no legal frame never reaches the encoder', () => {
    const codec = new OpusCodec(library, 48000, 2);
    for (const length of [0, 1, 100, 1764, 2048, 4096, 3839, 3841, 1 << 20])
      assert.throws(() => codec.encode(Buffer.alloc(length)), RangeError, `${length} bytes`);
    assert.ok(codec.encode(Buffer.alloc(3840)).length > 0);
    codec.close();
    codec.close();
    assert.throws(() => codec.encode(Buffer.alloc(3840)), RangeError);
  });

  test('a frame at an odd address is encoded like any other', () => {
    const data = sweep(FORMAT, 20);
    const odd = Buffer.alloc(data.length + 1);
    data.copy(odd, 1);
    const [a, b] = [new OpusCodec(library, 48000, 2), new OpusCodec(library, 48000, 2)];
    assert.deepEqual(a.encode(odd.subarray(1)), b.encode(data));
  });

  test('a packet that is noise, truncated, empty or 1 MB is decoded or refused', () => {
    const decoder = new OpusDecoder({ library });
    for (const data of [Buffer.alloc(0), randomBytes(1 << 20), Buffer.alloc(1 << 20), Buffer.of(0xff)])
      assert.throws(() => decoder.push(opus(data)), refused('ORGO_BAD_INPUT', /no Opus packet/));
    const encoder = new OpusEncoder({}, library);
    const [packet] = encoder.push(frameOf(FORMAT, sweep(FORMAT, 20)));
    assert.ok(packet);
    for (let length = 1; length < packet.data.length; length++)
      decoder.push({ ...packet, data: packet.data.subarray(0, length) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          const out = decoder.push(opus(Buffer.from(bytes)));
          assert.ok(totalSamples(out) <= 960);
        } catch (error) {
          assert.ok(refused('ORGO_BAD_INPUT', /./)(error), String(error));
        }
      }),
    );
    decoder.push(packet);
    decoder.close();
  });

  test('many streams at once, and none disturbs another', () => {
    const data = sweep(FORMAT, 20);
    const encoders = Array.from({ length: 300 }, () => new OpusEncoder({}, library));
    const packets = encoders.map((encoder) => encoder.push(frameOf(FORMAT, data))[0]);
    const decoders = Array.from({ length: 300 }, () => new OpusDecoder({ library }));
    const sounds = decoders.map((decoder, index) => {
      const packet = packets[index];
      assert.ok(packet);
      return decoder.push(packet)[0]?.data;
    });
    for (const packet of packets) assert.deepEqual(packet?.data, packets[0]?.data);
    for (const sound of sounds) assert.deepEqual(sound, sounds[0]);
    for (const transform of [...encoders, ...decoders]) transform.close();
  });

  test('a codec that was used before is as new', () => {
    const sound = sweep(FORMAT, 200);
    const once = (): Buffer[] => {
      const encoder = new OpusEncoder({ application: 'voip', bitrate: 24000 }, library);
      const packets = [...encoder.push(frameOf(FORMAT, sound)), ...encoder.flush()];
      const decoder = new OpusDecoder({ library, channels: 2 });
      const out = packets.flatMap((packet) => decoder.push(packet));
      decoder.close();
      return [...packets, ...out].map(({ data }) => Buffer.from(data));
    };
    const first = once();
    const loud = new OpusDecoder({ library, gain: 2560 });
    loud.push(opus(Buffer.of(0xfc)));
    loud.close();
    new OpusEncoder({ application: 'lowdelay', fec: true, dtx: true }, library).close();
    assert.deepEqual(once(), first);
  });
});

void test('the fallback tells its limit', () => {
  const library = loadWasmLibrary();
  const codecs = [];
  const limit = 4096;
  for (let i = 0; i < limit; i++) codecs.push(library.open(8000, 1));
  assert.throws(
    () => library.open(8000, 1),
    refused('ORGO_OPUS_FAILED', /holds 4096 Opus streams at once.*install @discordjs\/opus/),
  );
  for (const codec of codecs) codec.close();
  library.open(8000, 1).close();
});

void describe('settings out of range are refused by name', () => {
  for (const [settings, text] of [
    [{ bitrate: 5999 }, /bitrate is 5999: it must be a whole number from 6000 to 510000/],
    [{ bitrate: NaN }, /bitrate/],
    [{ bitrate: 'loud' }, /bitrate is "loud"/],
    [{ frameMs: 15 }, /frameMs is 15: it must be one of 2.5, 5, 10, 20, 40, 60/],
    [{ application: 'music' }, /application is "music": it must be one of audio, voip, lowdelay/],
    [{ application: 'toString' }, /application/],
    [{ complexity: 11 }, /complexity/],
    [{ packetLoss: -1 }, /packetLoss/],
    [{ fec: 'yes', dtx: 2 }, /fec is "yes".*dtx is 2/],
    [{ vbr: true }, /no setting vbr: there are application, bitrate/],
  ] as [Partial<OpusEncoderSettings>, RegExp][]) {
    void test(JSON.stringify(settings), () => {
      assert.throws(() => new OpusEncoder(settings), refused('ORGO_BAD_SETTING', text));
      const encoder = new OpusEncoder();
      const before = encoder.settings;
      assert.throws(() => encoder.configure(settings), refused('ORGO_BAD_SETTING', text));
      assert.deepEqual(encoder.settings, before);
    });
  }

  void test('the decoder’s', () => {
    for (const sampleRate of [0, 1, 7999, 1e9])
      assert.throws(() => new OpusDecoder({ sampleRate }), refused('ORGO_BAD_SETTING', /sampleRate/));
    assert.throws(() => new ContainerDecoder({ sampleRate: 1 }), refused('ORGO_BAD_SETTING', /sampleRate/));
  });
});

void test('sound of a rate or of channels that do not exist is refused, and the stream goes on', () => {
  const encoder = new OpusEncoder();
  const data = Buffer.alloc(3840);
  for (const sampleRate of [0, 1, 7999, 1e9, NaN])
    assert.throws(
      () => encoder.push(frameOf({ ...FORMAT, sampleRate }, data)),
      refused('ORGO_BAD_INPUT', /Hz/),
    );
  assert.throws(
    () => encoder.push({ ...frameOf(FORMAT, data), samples: 961 }),
    refused('ORGO_BAD_INPUT', /bytes/),
  );
  assert.equal(encoder.push(frameOf(FORMAT, data)).length, 1);
  const decoder = new OpusDecoder();
  const packet = Buffer.of(0xfc);
  for (const sampleRate of [0, -1, NaN, Infinity])
    assert.throws(() => decoder.push(opus(packet, { sampleRate })), refused('ORGO_BAD_INPUT', /Hz/));
  assert.equal(totalSamples(decoder.push(opus(packet))), 960);
});

void test('NaN and infinity in floats are encoded as silence and full scale', () => {
  const data = Buffer.alloc(960 * 4);
  for (let i = 0; i < 960; i++) data.writeFloatLE([NaN, Infinity, -Infinity, 1e30][i % 4] ?? 0, i * 4);
  const [packet] = new OpusEncoder().push(frameOf({ ...s16(48000, 1), encoding: 'f32le' }, data));
  assert.ok(packet && parsePacket(packet.data).samples === 960);
});

void describe('bytes that hold no Opus', () => {
  const file = Buffer.concat(
    (() => {
      const encoder = new OggEncoder();
      return [...encoder.push(frameOf(FORMAT, sweep(FORMAT, 1000))), ...encoder.flush()];
    })().map(({ data }) => data),
  );

  void test('zeros, text and raw sound are refused; a file behind them is decoded', () => {
    const decoder = new ContainerDecoder();
    for (const data of [Buffer.alloc(100_000), Buffer.from('RIFF....WAVE'), sweep(FORMAT, 20), Buffer.of(0)])
      assert.throws(() => decoder.push(ogg(data)), refused('ORGO_BAD_INPUT', /neither Ogg nor WebM/));
    assert.deepEqual(decoder.push(ogg(Buffer.alloc(0))), []);
    assert.equal(totalSamples([...decoder.push(ogg(file)), ...decoder.flush()]), 48000);
  });

  void test('surround sound is refused', () => {
    const head = Buffer.from(
      'OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05',
      'latin1',
    );
    const page = writePage({ first: true, last: false, granule: 0n, serial: 1, sequence: 0 }, [head]);
    assert.throws(() => new ContainerDecoder().push(ogg(page)), refused('ORGO_BAD_INPUT', /6 channels/));
  });

  void test('a file that is cut anywhere gives what it holds', () => {
    for (let length = 4; length < file.length; length += 97) {
      const decoder = new ContainerDecoder();
      const out = [...decoder.push(ogg(file.subarray(0, length))), ...decoder.flush()];
      assert.ok(totalSamples(out) <= 48000);
    }
  });

  void test('bytes that were changed or lost cost no more than their page', () => {
    const decoder = new ContainerDecoder();
    const damaged = Buffer.from(file);
    damaged.writeUInt8(damaged.readUInt8(3000) ^ 0x55, 3000);
    const out = [...decoder.push(ogg(damaged)), ...decoder.flush()];
    assert.equal(totalSamples(out), 48000, 'a lost page of 100 ms is concealed');
    const without = Buffer.concat([file.subarray(0, 2500), file.subarray(2600)]);
    assert.equal(totalSamples([...decoder.push(ogg(without)), ...decoder.flush()]), 48000);
  });

  void test('noise behind the first bytes of Ogg or WebM does no harm', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('4f676753', '1a45dfa3', '1a45dfa39f4286810118538067ff'),
        fc.uint8Array({ maxLength: 2000 }),
        (magic, noise) => {
          const decoder = new ContainerDecoder();
          try {
            decoder.push(ogg(Buffer.concat([Buffer.from(magic, 'hex'), noise])));
            decoder.flush();
          } catch (error) {
            assert.ok(refused('ORGO_BAD_INPUT', /./)(error), String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  void test('any damage to a real file does none either', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 4, max: file.length - 1 }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 20,
        }),
        (changes) => {
          const damaged = Buffer.from(file);
          for (const [at, value] of changes) damaged.writeUInt8(value, at);
          const decoder = new ContainerDecoder();
          assert.ok(totalSamples([...decoder.push(ogg(damaged)), ...decoder.flush()]) <= 48000);
        },
      ),
      { numRuns: 50 },
    );
  });
});
