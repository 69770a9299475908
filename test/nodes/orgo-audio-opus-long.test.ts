/** A Buffer far longer than a turn of the event loop, through the Opus node. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { opusNode } from '../../nodes/orgo-audio-opus/audio-opus';
import { chooseLibrary } from '../../src/opus/choose-library';
import type { LibraryCodec, OpusLibrary } from '../../src/opus/library';
import { FakeClock } from './fake-clock';
import { FakeRed } from './fake-red';

const TYPE = 'orgo-audio-opus';
const BYTES = 100 << 20;
const SAMPLES = BYTES / 4;
const PACKET_SAMPLES = 960;
/** What is encoded in one go: 200 ms. */
const SLICE_PACKETS = 10;

/** `library`, calling `onEncode` before each frame. */
function watched(library: OpusLibrary, onEncode: () => void): OpusLibrary {
  return {
    name: library.name,
    open(sampleRate, channels): LibraryCodec {
      const codec = library.open(sampleRate, channels);
      return {
        encode(pcm, frameSamples) {
          onEncode();
          return codec.encode(pcm, frameSamples);
        },
        decode: (packet) => codec.decode(packet),
        encoderControl: (request, value) => codec.encoderControl(request, value),
        decoderControl: (request, value) => codec.decoderControl(request, value),
        close: () => codec.close(),
      };
    },
  };
}

it('orgo-audio-opus works 100 MB off in slices, to the exact number of packets', async () => {
  const RED = new FakeRed();
  const clock = new FakeClock();
  /** Packets encoded by the end of each turn. */
  const turns: number[] = [];
  const dependencies = {
    clock,
    defer(fn: () => void): void {
      turns.push(encoded);
      setImmediate(fn);
    },
  };
  let encoded = 0;
  // On a machine that takes a millisecond for a frame.
  const library = watched(chooseLibrary(), () => {
    encoded++;
    clock.advance(1);
  });
  opusNode(() => library)(RED, dependencies);
  const node = RED.create(TYPE, { complexity: 0 });

  const audio = { encoding: 'f32le', sampleRate: 48000, channels: 1 };
  const error = await node.receive({ payload: Buffer.alloc(BYTES), audio, complete: true });

  assert.equal(error, undefined);
  const packets = node.output(0);
  assert.equal(packets.length, Math.ceil(SAMPLES / PACKET_SAMPLES));
  let position = 0;
  for (const msg of packets) {
    const { position: start, samples } = msg.audio as { position: number; samples: number };
    assert.equal(start, position);
    position += samples;
  }
  assert.equal(position, SAMPLES);
  assert.equal(
    packets.findIndex((msg) => msg['complete'] === true),
    packets.length - 1,
  );

  assert.ok(turns.length >= SAMPLES / PACKET_SAMPLES / SLICE_PACKETS - 1, `${turns.length} turns`);
  const most = turns.map((sent, i) => sent - (turns[i - 1] ?? 0)).reduce((a, b) => Math.max(a, b), 0);
  assert.ok(most <= SLICE_PACKETS, `${most} packets in one turn`);
  await node.close();
});
