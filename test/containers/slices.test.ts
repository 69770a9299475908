/** Small files that hold much work: it comes out in slices, none of them long, and damage costs little. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import type { Demuxer } from '../../src/containers/demuxer';
import type { OpusLibrary } from '../../src/opus/library';
import { writePage } from '../../src/containers/ogg-page';
import { OggReader } from '../../src/containers/ogg-reader';
import { writeOpusHead } from '../../src/containers/opus-head';
import { parsePacket } from '../../src/opus/packet';
import { bytesOf, encode, oggFrame, STEREO } from './support/ogg';
import { frameOf, sweep, totalSamples } from '../opus/support/sound';

/** 120 ms in two bytes: six frames of 20 ms, all of them lost. */
const LONG_PACKET = Buffer.of(0xff, 6);
const PAGE = { first: false, last: false, serial: 1 };
/** 200 ms and one packet of 120 ms after a loss of which 120 ms are concealed: a slice may run over by so much. */
const MOST_SAMPLES = 9600 + 2 * 5760;

function headPages(serial: number): Buffer[] {
  const head = writeOpusHead({ channels: 2, preSkip: 0, inputSampleRate: 48000, gain: 0 });
  const page = { last: false, granule: 0n, serial };
  return [
    writePage({ ...page, first: true, sequence: 0 }, [head]),
    writePage({ ...page, first: false, sequence: 1 }, [Buffer.from('OpusTags')]),
  ];
}

/** A stream of pages full of `packet`, at least `bytes` long. */
function pagesOf(packet: Buffer, samples: number, bytes: number): Buffer {
  const pages = headPages(1);
  let granule = 0;
  for (let length = 0; length < bytes; length += 27 + 255 * (1 + packet.length)) {
    granule += 255 * samples;
    const header = { ...PAGE, granule: BigInt(granule), sequence: pages.length };
    pages.push(
      writePage(
        header,
        Array.from({ length: 255 }, () => packet),
      ),
    );
  }
  return Buffer.concat(pages);
}

/** Gives silence, and counts what was asked for since {@link decoded} was set to 0. */
class CountingLibrary implements OpusLibrary {
  readonly name = 'opusscript';
  decoded = 0;
  opened = 0;

  open(sampleRate: number, channels: number): ReturnType<OpusLibrary['open']> {
    this.opened++;
    return {
      encode: () => Buffer.alloc(0),
      decode: (packet) => {
        const samples = (parsePacket(packet).samples * sampleRate) / 48000;
        this.decoded += samples;
        return Buffer.alloc(samples * channels * 2);
      },
      encoderControl: () => undefined,
      decoderControl: () => undefined,
      close: () => undefined,
    };
  }
}

/** Decodes `file` slice by slice; `look` sees what each one took. */
function decodeInSlices(file: Buffer, look: (took: CountingLibrary) => void): number {
  const library = new CountingLibrary();
  const decoder = new ContainerDecoder({ library });
  let samples = 0;
  for (const slice of decoder.pushInSlices(oggFrame(file))) {
    look(library);
    library.decoded = library.opened = 0;
    samples += totalSamples(slice);
  }
  return samples + totalSamples(decoder.flush());
}

/** Bytes that a reader looked at to find what `file` holds; each counts as often as it was looked at. */
function workOf(reader: Demuxer, file: Buffer): number {
  let work = 0;
  for (const item of reader.push(file)) if (item.kind === 'read') work += item.bytes;
  return work;
}

void describe('ten minutes of sound in 16 KiB', () => {
  const file = pagesOf(LONG_PACKET, 5760, 16_000);

  void test('are decoded in slices of about 200 ms', () => {
    let slices = 0;
    const samples = decodeInSlices(file, ({ decoded }) => {
      slices++;
      assert.ok(decoded <= MOST_SAMPLES, `${decoded} samples in one slice`);
    });
    assert.ok(file.length < 17_000);
    assert.ok(samples > 600 * 48000, `${samples} samples`);
    assert.ok(slices > 2500, `${slices} slices`);
  });

  void test('give what they give in one go', () => {
    const sliced = new ContainerDecoder();
    const parts = [...sliced.pushInSlices(oggFrame(file.subarray(0, 1000)))].flat();
    assert.deepEqual(parts, new ContainerDecoder().push(oggFrame(file.subarray(0, 1000))));
  });
});

void test('losses between packets are concealed in slices too', () => {
  const pages = headPages(1);
  for (let i = 1; i < 400; i++)
    pages.push(writePage({ ...PAGE, granule: BigInt(i * 48000), sequence: pages.length }, [LONG_PACKET]));
  decodeInSlices(Buffer.concat(pages), ({ decoded }) => {
    assert.ok(decoded <= MOST_SAMPLES, `${decoded} samples in one slice`);
  });
});

void test('a thousand streams in one file are opened a few at a time', () => {
  const streams = Array.from({ length: 1000 }, (_, serial) => [
    ...headPages(serial),
    writePage({ ...PAGE, serial, granule: 120n, sequence: 2 }, [Buffer.of(0xe0)]),
  ]);
  let opened = 0;
  decodeInSlices(Buffer.concat(streams.flat()), (took) => {
    opened += took.opened;
    assert.ok(took.opened <= 5, `${took.opened} decoders in one slice`);
  });
  assert.equal(opened, 1000);
});

void test('pages that hold no packet at all are read in slices', () => {
  const file = pagesOf(Buffer.alloc(0), 0, 100_000);
  let slices = 0;
  assert.equal(
    decodeInSlices(file, () => slices++),
    0,
  );
  assert.ok(slices > 9, `${slices} slices`);
});

void describe('headers of pages that are none', () => {
  /** Each says that its page is as long as a page can be. */
  const header = Buffer.concat([
    Buffer.from('OggS\0\0', 'latin1'),
    Buffer.alloc(20),
    Buffer.alloc(1, 255),
    Buffer.alloc(5, 255),
  ]);
  const flood = Buffer.concat(Array.from({ length: 16_384 }, () => header));

  void test('cost a few looks at each byte', () => {
    const work = workOf(new OggReader(), flood);
    assert.ok(work < 8 * flood.length, `${work / flood.length} looks at each byte`);
  });

  void test('keep no page from being found after them', () => {
    const sound = bytesOf(encode([frameOf(STEREO, sweep(STEREO, 1000))]));
    const begin = sound.indexOf('OggS', 60);
    const file = Buffer.concat([sound.subarray(0, begin), flood.subarray(0, 64_000), sound.subarray(begin)]);
    const decoder = new ContainerDecoder();
    // The last false page is waited for until it has all its bytes.
    const samples = totalSamples([
      ...decoder.push(oggFrame(Buffer.concat([file, Buffer.alloc(70_000)]))),
      ...decoder.flush(),
    ]);
    assert.equal(samples, 48000);
  });
});

void test('granule positions out of all bounds are no loss, and later losses are found', () => {
  const granules = [5760n, 2n ** 62n, 2n ** 62n + 5760n, -5n, 0n, 48_000n, -(2n ** 63n)];
  const pages = granules.map((granule, index) =>
    writePage({ ...PAGE, granule, sequence: 2 + index }, [LONG_PACKET]),
  );
  const file = oggFrame(Buffer.concat([...headPages(1), ...pages]));
  const decoder = new ContainerDecoder();
  const out = [...decoder.push(file), ...decoder.flush()];
  const gaps = out.reduce((sum, { gap }) => sum + gap, 0);
  assert.equal(totalSamples(out) + gaps, granules.length * 5760 + (48_000 - 5760));
  for (const { position } of out) assert.ok(Number.isSafeInteger(position));
});
