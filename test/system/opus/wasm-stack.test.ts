/** Frames of the fallback that need more stack than its module was built with. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../../src/audio/errors';
import { webAssembly } from '../../../src/kernels/web-assembly';
import { OpusDecoder } from '../../../src/opus/decoder';
import { OpusEncoder } from '../../../src/opus/encoder';
import type { OpusLibrary } from '../../../src/opus/library';
import { OggEncoder } from '../../../src/containers/ogg-encoder';
import { parsePacket } from '../../../src/opus/packet';
import type { OpusEncoderSettings } from '../../../src/opus/settings';
import { loadWasmLibrary } from '../../../src/opus/wasm-library';
import { compileWithStack } from '../../../src/opus/wasm-stack';
import { bytesOf, decode, encode, STEREO } from '../../containers/support/ogg';
import { firstChannel, frameOf, lagOf, s16, sweep, totalSamples } from '../../opus/support/sound';
import { needs } from '../../support/needs';
import { runWith } from '../../opus/support/tools';

const LONG = [40, 60] as const;
const KINDS: Partial<OpusEncoderSettings>[] = [
  { application: 'audio', bitrate: 128000, packetLoss: 20 },
  { application: 'voip', bitrate: 16000, fec: true, packetLoss: 20 },
  { application: 'voip', bitrate: 32000 },
  { application: 'lowdelay', bitrate: 510000 },
];
const WAV_HEADER_BYTES = 44;

function packets(library: OpusLibrary, settings: Partial<OpusEncoderSettings>, format = STEREO): Buffer[] {
  const encoder = new OpusEncoder(settings, library);
  return [...encoder.push(frameOf(format, sweep(format, 1200))), ...encoder.flush()].map(({ data }) => data);
}

/** Largest difference between two s16le sounds of one length. */
function largestDifference(a: Buffer, b: Buffer): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i += 2)
    largest = Math.max(largest, Math.abs(a.readInt16LE(i) - b.readInt16LE(i)));
  return largest;
}

void describe('frames of 40 and 60 ms, 48 kHz stereo, by the fallback', () => {
  for (const frameMs of LONG) {
    for (const settings of KINDS) {
      void test(
        `${frameMs} ms, ${JSON.stringify(settings)}: opusdec hears what we hear`,
        needs('opusdec'),
        () => {
          const data = sweep(STEREO, 1200);
          const library = loadWasmLibrary();
          const encoder = new OggEncoder({ ...settings, frameMs }, library, () => 0.5);
          const file = bytesOf(encode([frameOf(STEREO, data)], {}, encoder));
          const ours = decode(file, file.length, { library });
          assert.equal(totalSamples(ours), 57600);
          const { lag, correlation } = lagOf(firstChannel([frameOf(STEREO, data)]), firstChannel(ours), 30);
          // The speech modes' high-pass filter moves the sweep, by the native library just as far.
          assert.ok(Math.abs(lag) <= (settings.application === 'voip' ? 3 : 0), `lag ${lag}`);
          assert.ok(correlation > 0.97, `correlation ${correlation}`);
          const theirs = runWith(
            { 'a.opus': file },
            ['opusdec', '--quiet', '--no-dither', '--force-wav', 'a.opus', 'a.wav'],
            ({ status, text }, read) => {
              assert.equal(status, 0, text);
              return read('a.wav').subarray(WAV_HEADER_BYTES);
            },
          );
          assert.ok(largestDifference(bytesOf(ours), theirs) <= 2);
        },
      );
    }
  }

  void test('write over nothing else in the module', () => {
    const used = loadWasmLibrary();
    const [long, short] = [{ frameMs: 60, bitrate: 24000 }, { frameMs: 20 }] as const;
    const first = packets(used, long);
    assert.deepEqual(packets(used, long), first);
    for (const format of [STEREO, s16(16000, 1)])
      assert.deepEqual(packets(used, short, format), packets(loadWasmLibrary(), short, format));
  });

  void test('are as long as the packet says', () => {
    for (const frameMs of LONG) {
      for (const packet of packets(loadWasmLibrary(), { frameMs }))
        assert.equal(parsePacket(packet).samples, frameMs * 48);
    }
  });

  void test('go on where one before was lost', () => {
    const library = loadWasmLibrary();
    const encoder = new OpusEncoder({ frameMs: 60 }, library);
    const all = [...encoder.push(frameOf(STEREO, sweep(STEREO, 1200))), ...encoder.flush()];
    const decoder = new OpusDecoder({ library });
    const out = all.flatMap((packet, i) => (i === 7 ? [] : decoder.push(packet)));
    assert.equal(totalSamples([...out, ...decoder.flush()]), 57600);
  });
});

void test('what is no module, or has no stack pointer, is refused before anything runs', () => {
  const api = webAssembly();
  assert.ok(api);
  const empty = Buffer.from('0061736d01000000', 'hex');
  const exportsNothing = Buffer.concat([empty, Buffer.of(7, 1, 0)]);
  for (const code of [Buffer.alloc(0), Buffer.from('no module at all'), empty, exportsNothing])
    assert.throws(
      () => compileWithStack(api, code),
      (error) => error instanceof Error && !(error instanceof OrgoError),
    );
});

void describe('a trap in the module', () => {
  /** A module with a stack pointer; `sink` takes 1024 bytes of the stack and traps, `fall` takes them and returns. */
  const code = Buffer.from(
    [
      '0061736d01000000',
      '010401600000', // one type: no parameters, no results
      '0303020000', // two functions of it
      '0606017f0141000b', // one mutable i32 global: the stack pointer
      '070f02' + '0473696e6b0000' + '0466616c6c0001', // what is exported
      '0a1802' + '0b0023004180086b2400000b' + '0a0023004180086b24000b',
    ].join(''),
    'hex',
  );

  void test('gives the stack back', () => {
    const api = webAssembly();
    assert.ok(api);
    const module = compileWithStack(api, code);
    const { exports } = module.instantiate({});
    const { sink, fall } = exports as Record<'sink' | 'fall', () => void>;
    const pointer = exports['orgoStackPointer'] as { value: number };
    module.moveStack(4096);
    const top = pointer.value;
    assert.ok(top > 4096 && top % 16 === 0);
    for (let i = 0; i < 3; i++) assert.throws(() => module.guard(() => sink()), /unreachable/);
    assert.equal(pointer.value, top);
    module.guard(() => fall());
    assert.equal(pointer.value, top - 1024, 'a call that returns sees to its own stack');
  });
});
