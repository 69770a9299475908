/** WAV headers, written and read; other programs' files beside our own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OrgoError } from '../../src/audio/errors';
import type { PcmFormat } from '../../src/audio/format';
import { isWav, parseWavHeader, WAV_HEADER_BYTES, wavHeader } from '../../src/containers/wav-header';

const formats = fc.record<PcmFormat>({
  encoding: fc.constantFrom('s16le', 'f32le'),
  sampleRate: fc.integer({ min: 1, max: 192_000 }),
  channels: fc.constantFrom(1, 2),
});

function chunk(id: string, body: Buffer, length = body.length): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(length, 4);
  return Buffer.concat([header, body, Buffer.alloc(body.length % 2)]);
}

function file(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));
}

interface Fmt {
  tag?: number;
  channels?: number;
  rate?: number;
  block?: number;
  bits?: number;
}

function fmt({
  tag = 1,
  channels = 1,
  rate = 24000,
  bits = 16,
  block = (channels * bits) / 8,
}: Fmt = {}): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rate, 4);
  body.writeUInt32LE(rate * block, 8);
  body.writeUInt16LE(block, 12);
  body.writeUInt16LE(bits, 14);
  return body;
}

/** A WAVEFORMATEXTENSIBLE with the GUID of `tag`. */
function extensible(tag: number, tail = '000000001000800000aa00389b71', of: Fmt = {}): Buffer {
  const extension = Buffer.alloc(10);
  extension.writeUInt16LE(22, 0);
  extension.writeUInt16LE(of.bits ?? 16, 2);
  extension.writeUInt16LE(tag, 8);
  return Buffer.concat([fmt({ ...of, tag: 0xfffe }), extension, Buffer.from(tail, 'hex')]);
}

const DATA = chunk('data', Buffer.alloc(8));

describe('a header that is written', () => {
  test('is the 44 bytes that everyone knows', () => {
    const header = wavHeader({ encoding: 's16le', sampleRate: 24000, channels: 2 }, 100);
    const expected =
      '52494646 b4010000 57415645 666d7420 10000000 0100 0200 c05d0000 00770100 0400 1000 64617461 90010000';
    assert.equal(header.toString('hex'), expected.replaceAll(' ', ''));
  });

  test('is read again as it was meant', () => {
    fc.assert(
      fc.property(formats, fc.integer({ min: 1, max: 1e6 }), (record, samples) => {
        const format = { ...record };
        const header = wavHeader(format, samples);
        assert(isWav(header));
        const dataLength = samples * format.channels * (format.encoding === 's16le' ? 2 : 4);
        assert.deepEqual(parseWavHeader(header), {
          format,
          dataStart: WAV_HEADER_BYTES,
          dataLength,
          trailerLength: 0,
        });
      }),
    );
  });

  test('of a stream, or of more than 4 GB, has no length', () => {
    const format = { encoding: 's16le', sampleRate: 48000, channels: 2 } as const;
    for (const samples of [undefined, 2 ** 31]) {
      assert.equal(parseWavHeader(wavHeader(format, samples))?.dataLength, undefined);
    }
  });
});

describe('a header that is read', () => {
  test('may have other chunks before its data, of odd lengths too', () => {
    const list = chunk('LIST', Buffer.from('INFOISFT\x05\0\0\0Lavf\0\0', 'latin1'));
    const odd = chunk('junk', Buffer.alloc(3));
    const data = file(list, chunk('fmt ', fmt({ rate: 44100, channels: 2 })), odd, DATA);
    const header = parseWavHeader(data);
    assert.deepEqual(header?.format, { encoding: 's16le', sampleRate: 44100, channels: 2 });
    assert.equal(header.dataStart, data.length - 8);
    assert.equal(header.dataLength, 8);
  });

  test('may be extensible, PCM or float', () => {
    assert.equal(parseWavHeader(file(chunk('fmt ', extensible(1)), DATA))?.format.encoding, 's16le');
    const float = extensible(3, undefined, { bits: 32 });
    assert.equal(parseWavHeader(file(chunk('fmt ', float), DATA))?.format.encoding, 'f32le');
  });

  test('is waited for, whatever piece of it came', () => {
    const whole = file(chunk('LIST', Buffer.alloc(21)), chunk('fmt ', extensible(1)), DATA);
    const end = whole.length - 8;
    for (let length = 12; length < end; length++) {
      assert.equal(parseWavHeader(whole.subarray(0, length)), undefined, `${length} bytes`);
    }
    assert(parseWavHeader(whole.subarray(0, end)));
  });

  test('with a length of 0 or 0xffffffff goes on to the end', () => {
    for (const length of [0, 0xffffffff]) {
      const data = file(chunk('fmt ', fmt()), chunk('data', Buffer.alloc(8), length));
      assert.equal(parseWavHeader(data)?.dataLength, undefined);
    }
  });

  test('tells how much follows the sound', () => {
    const data = file(chunk('fmt ', fmt()), DATA, chunk('LIST', Buffer.alloc(5)));
    assert.equal(parseWavHeader(data)?.trailerLength, 14);
  });

  test('of a stream, whose size in RIFF is unknown, has nothing after its sound', () => {
    for (const size of [0, 0xffffffff, 0x7fffffff]) {
      const data = file(chunk('fmt ', fmt()), DATA);
      data.writeUInt32LE(size, 4);
      assert.equal(parseWavHeader(data)?.dataLength, 8);
      assert.equal(parseWavHeader(data)?.trailerLength, 0, `a size of ${size}`);
    }
  });

  test('says what is wrong with it', () => {
    const wrong: [Buffer, RegExp][] = [
      [DATA, /no fmt chunk/],
      [chunk('fmt ', Buffer.alloc(10)), /fmt chunk of 10 bytes/],
      [chunk('fmt ', fmt({ bits: 24 })), /24-bit PCM samples: 16-bit PCM or 32-bit float/],
      [chunk('fmt ', fmt({ tag: 3, bits: 64 })), /64-bit float/],
      [chunk('fmt ', fmt({ tag: 7, bits: 8 })), /8-bit format 7/],
      [chunk('fmt ', fmt({ channels: 6 })), /6 channels: 1 or 2/],
      [chunk('fmt ', fmt({ channels: 0 })), /0 channels/],
      [chunk('fmt ', fmt({ rate: 0 })), /rate of 0/],
      [chunk('fmt ', fmt({ block: 3 })), /3 bytes a sample/],
      [chunk('fmt ', extensible(1, '00'.repeat(14))), /extensible format/],
      [chunk('fmt ', fmt({ tag: 0xfffe })), /extensible format/],
      [chunk('junk', Buffer.alloc(0), 0xfffffff0), /no data within its first/],
    ];
    for (const [chunks, text] of wrong) {
      assert.throws(
        () => parseWavHeader(file(chunks, DATA)),
        (error) => error instanceof OrgoError && error.code === 'ORGO_BAD_INPUT' && text.test(error.message),
        String(text),
      );
    }
  });

  test('is only looked for where a WAV file begins', () => {
    assert.equal(isWav(Buffer.from('RIFF')), false);
    assert.equal(isWav(Buffer.from('RIFF1234AVI LIST')), false);
    assert.equal(isWav(Buffer.alloc(100)), false);
  });

  test('never ends in anything but a header, a wait or our own error', () => {
    const start = Buffer.from('RIFF1234WAVE');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, format) => {
        const noise = format ? chunk('fmt ', Buffer.from(bytes)) : Buffer.from(bytes);
        try {
          parseWavHeader(Buffer.concat([start, noise]));
        } catch (error) {
          assert(error instanceof OrgoError);
        }
      }),
    );
  });
});
