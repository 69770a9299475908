import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OrgoError } from '../../src/audio/errors';
import { TagReader, TagWriter, type PropList } from '../../src/capture/pulse/tagstruct';

const u32 = fc.nat(0xffffffff);
const u8 = fc.nat(255);
const u64 = fc.bigInt(0n, 2n ** 64n - 1n);
/** Without NUL, which ends a string on the wire. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const bytes: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const proplist: fc.Arbitrary<PropList> = fc
  .uniqueArray(fc.tuple(text, bytes), { selector: ([key]) => key, maxLength: 5 })
  .map((entries) => new Map(entries));

/** A record as our own code makes them: with Object's prototype. */
const plain = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(shape, { noNullPrototype: true });

/** A value, and how it is written and read. */
interface Field {
  readonly value: unknown;
  readonly write: (writer: TagWriter) => TagWriter;
  readonly read: (reader: TagReader) => unknown;
}

function field<T>(
  values: fc.Arbitrary<T>,
  write: (writer: TagWriter, value: T) => TagWriter,
  read: (reader: TagReader) => T,
): fc.Arbitrary<Field> {
  return values.map((value) => ({ value, write: (writer) => write(writer, value), read }));
}

const fields = fc.oneof(
  field(
    u32,
    (w, v) => w.u32(v),
    (r) => r.u32(),
  ),
  field(
    u8,
    (w, v) => w.u8(v),
    (r) => r.u8(),
  ),
  field(
    u64,
    (w, v) => w.u64(v),
    (r) => r.u64(),
  ),
  field(
    u64,
    (w, v) => w.usec(v),
    (r) => r.usec(),
  ),
  field(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    (w, v) => w.s64(v),
    (r) => r.s64(),
  ),
  field(
    fc.boolean(),
    (w, v) => w.boolean(v),
    (r) => r.boolean(),
  ),
  field(
    fc.option(text),
    (w, v) => w.string(v),
    (r) => r.string(),
  ),
  field(
    bytes,
    (w, v) => w.arbitrary(v),
    (r) => r.arbitrary(),
  ),
  field(
    plain({ format: u8, channels: u8, rate: u32 }),
    (w, v) => w.sampleSpec(v),
    (r) => r.sampleSpec(),
  ),
  field(
    fc.array(u8, { maxLength: 32 }),
    (w, v) => w.channelMap(v),
    (r) => r.channelMap(),
  ),
  field(
    fc.array(u32, { maxLength: 32 }),
    (w, v) => w.cvolume(v),
    (r) => r.cvolume(),
  ),
  field(
    u32,
    (w, v) => w.volume(v),
    (r) => r.volume(),
  ),
  field(
    plain({ seconds: u32, micros: u32 }),
    (w, v) => w.timeval(v),
    (r) => r.timeval(),
  ),
  field(
    proplist,
    (w, v) => w.proplist(v),
    (r) => r.proplist(),
  ),
  field(
    plain({ encoding: u8, properties: proplist }),
    (w, v) => w.formatInfo(v),
    (r) => r.formatInfo(),
  ),
);

const READERS: readonly ((reader: TagReader) => unknown)[] = [
  (r) => r.u32(),
  (r) => r.u8(),
  (r) => r.u64(),
  (r) => r.usec(),
  (r) => r.s64(),
  (r) => r.boolean(),
  (r) => r.string(),
  (r) => r.arbitrary(),
  (r) => r.sampleSpec(),
  (r) => r.channelMap(),
  (r) => r.cvolume(),
  (r) => r.volume(),
  (r) => r.timeval(),
  (r) => r.proplist(),
  (r) => r.formatInfo(),
];

const failsCleanly = (error: unknown): boolean =>
  error instanceof OrgoError && error.code === 'ORGO_SOUND_SERVER_FAILED';

describe('a tagstruct', () => {
  it('reads back as the values that were written, in order', () => {
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 20 }), (list) => {
        const writer = new TagWriter();
        for (const { write } of list) write(writer);
        const reader = new TagReader(writer.done());
        for (const { value, read } of list) assert.deepEqual(read(reader), value);
        assert.ok(reader.atEnd);
      }),
    );
  });

  it('has the bytes that PulseAudio writes', () => {
    const written = new TagWriter()
      .u32(35)
      .string('a')
      .string(null)
      .boolean(true)
      .sampleSpec({ format: 3, channels: 2, rate: 48_000 })
      .done();
    assert.equal(written.toString('hex'), '4c00000023' + '746100' + '4e' + '31' + '6103020000bb80');
  });

  it('cut off anywhere, fails as a broken answer of the server', () => {
    fc.assert(
      fc.property(fields, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (one, part) => {
        const whole = one.write(new TagWriter()).done();
        const reader = new TagReader(whole.subarray(0, Math.floor(whole.length * part)));
        assert.throws(() => one.read(reader), failsCleanly);
      }),
    );
  });

  it('of any bytes at all reads as values or fails as a broken answer, nothing else', () => {
    const tags = fc.constantFrom(...Buffer.from('tNLBRrax10TUmvPVf'));
    const noise = fc.tuple(tags, fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(noise, fc.constantFrom(...READERS), ([tag, rest], read) => {
        const reader = new TagReader(Buffer.from([tag, ...rest]));
        try {
          while (!reader.atEnd) read(reader);
        } catch (error) {
          assert.ok(failsCleanly(error), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
