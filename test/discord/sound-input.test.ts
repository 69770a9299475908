/** Any sound of the flow made into packets of 20 ms, and kept in step with the source's clock. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import type { AudioFormat, Channels, PcmEncoding } from '../../src/audio/format';
import type { PacketEncoder } from '../../src/discord/sound-encoder';
import { SoundInput } from '../../src/discord/sound-input';
import { SILENCE_FRAME, type SoundPacket } from '../../src/discord/sound-packet';
import { Stretcher } from '../../src/discord/stretcher';
import { chooseLibrary } from '../../src/opus/choose-library';
import { OpusCodec } from '../../src/opus/codec';
import { parsePacket } from '../../src/opus/packet';
import { channelOf, measureTone } from '../support/tone';

const HZ = 440;

/** A tone as messages bring it. */
function* tone(
  rate: number,
  channels: Channels,
  encoding: PcmEncoding,
  seconds: number,
  frameSamples = Math.round(rate / 50),
): Generator<PcmFrame> {
  const format = { encoding, sampleRate: rate, channels };
  const size = (encoding === 's16le' ? 2 : 4) * channels;
  for (let position = 0; position < rate * seconds; position += frameSamples) {
    const data = Buffer.alloc(frameSamples * size);
    for (let i = 0; i < frameSamples; i++) {
      const value = 0.25 * Math.sin((2 * Math.PI * HZ * (position + i)) / rate);
      for (let channel = 0; channel < channels; channel++) {
        const at = i * size + channel * (size / channels);
        if (encoding === 's16le') data.writeInt16LE(Math.round(value * 32767), at);
        else data.writeFloatLE(value, at);
      }
    }
    yield { format, data, samples: frameSamples, position, time: 0, gap: 0, latencyMs: 0 };
  }
}

function opusFrame(data: Buffer, number: number, samples = 960): AudioFrame {
  const format: AudioFormat = { encoding: 'opus', sampleRate: 48000, channels: 2 };
  return { format, data, samples, position: number * samples, time: 0, gap: 0, latencyMs: 0 };
}

/** The left channel that a listener hears. */
function hear(packets: readonly SoundPacket[]): Float64Array {
  const codec = new OpusCodec(chooseLibrary(), 48000, 2);
  const pcm = Buffer.concat(packets.map(({ opus }) => codec.decode(opus)));
  codec.close();
  return channelOf(pcm, 2);
}

/** Keeps the samples, and gives for each frame a packet that nothing can decode. */
class CopyingEncoder implements PacketEncoder {
  private samples = 0;

  constructor(private readonly heard: Float32Array[]) {}

  push(floats: Float32Array): Buffer[] {
    this.heard.push(floats);
    const before = Math.floor(this.samples / 960);
    this.samples += floats.length / 2;
    return Array.from({ length: Math.floor(this.samples / 960) - before }, () => Buffer.alloc(40));
  }

  flush(): Buffer[] {
    return [];
  }

  close(): void {
    this.heard.push(new Float32Array());
  }
}

function leftOf(heard: readonly Float32Array[]): Float64Array {
  const all = new Float64Array(heard.reduce((samples, floats) => samples + floats.length / 2, 0));
  let at = 0;
  for (const floats of heard) for (let i = 0; i < floats.length; i += 2) all[at++] = floats[i] ?? 0;
  return all;
}

const LIVE = { bitrate: 96000, live: true };

describe('PCM', () => {
  for (const [rate, channels, encoding] of [
    [8000, 1, 's16le'],
    [24000, 1, 's16le'],
    [44100, 2, 's16le'],
    [48000, 2, 'f32le'],
    [96000, 1, 'f32le'],
  ] as const) {
    test(`of ${rate} Hz, ${channels} channel(s), ${encoding} is heard as the same tone`, () => {
      const input = new SoundInput(LIVE);
      const packets: SoundPacket[] = [];
      for (const frame of tone(rate, channels, encoding, 0.6)) packets.push(...input.push(frame));
      packets.push(...input.flush(600));
      input.close();
      for (const { opus } of packets) assert.equal(parsePacket(opus).samples, 960);
      assert.ok(packets.length >= 30 && packets.length <= 32, `${packets.length}`);
      const { amplitude } = measureTone(hear(packets), { hz: HZ, sampleRate: 48000 }, 9600, 24000);
      assert.ok(Math.abs(amplitude - 0.25) < 0.01, `${amplitude}`);
    });
  }

  test('comes out the same however it is cut', () => {
    const cut = (frameSamples: number): Buffer[] => {
      const input = new SoundInput(LIVE);
      const frames = [...tone(24000, 1, 's16le', 0.25, frameSamples)];
      const packets = [...frames.flatMap((frame) => input.push(frame)), ...input.flush(250)];
      input.close();
      return packets.map(({ opus }) => opus);
    };
    assert.deepEqual(cut(300), cut(1500));
  });

  test('that is silent is known to be', () => {
    const input = new SoundInput(LIVE);
    const format = { encoding: 's16le', sampleRate: 48000, channels: 1 } as const;
    const packets = Array.from({ length: 10 }, (_, n) =>
      input.push({
        format,
        data: Buffer.alloc(1920),
        samples: 960,
        position: n * 960,
        time: 0,
        gap: 0,
        latencyMs: 0,
      }),
    ).flat();
    input.close();
    assert.ok(packets.length > 5 && packets.every(({ silent }) => silent));
  });

  test('of a clock that is 1 % fast is stretched to our clock, and the pitch with it, without a jump', () => {
    // What is encoded is heard as it is: this test is about the samples.
    const heard: Float32Array[] = [];
    const input = new SoundInput(LIVE, () => new CopyingEncoder(heard));
    const packets: SoundPacket[] = [];
    let frames = 0;
    for (const frame of tone(48000, 2, 'f32le', 14)) {
      if (frames++ % 50 === 0) input.onReport({ driftPpm: 10_000, waitMs: 30, targetMs: 40 });
      packets.push(...input.push(frame));
    }
    input.close();
    // The ratio glides there within ten reports; from then on 100 frames make 99.
    assert.ok(packets.length < 700 * 0.996 && packets.length > 700 * 0.99, `${packets.length}`);
    const sound = leftOf(heard).subarray(-48000 * 3);
    const { amplitude } = measureTone(sound, { hz: HZ * 1.01, sampleRate: 48000 });
    assert.ok(Math.abs(amplitude - 0.25) < 0.01, `${amplitude}`);
  });
});

describe('the stretcher', () => {
  test('changes nothing at a ratio of 1', () => {
    const stretcher = new Stretcher();
    const input = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i));
    const output = [...stretcher.push(input), ...stretcher.flush()];
    assert.deepEqual(output, [...input]);
  });

  test('keeps a tone pure while the ratio changes', () => {
    const stretcher = new Stretcher();
    const input = (n: number): Float32Array =>
      Float32Array.from(
        { length: 1920 },
        (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * (n * 960 + (i >> 1))) / 48000),
      );
    const output: number[] = [];
    for (let n = 0; n < 50; n++) {
      stretcher.ratio = n % 2 === 0 ? 1.004 : 0.997;
      output.push(...stretcher.push(input(n)));
    }
    const left = output.filter((_, i) => i % 2 === 0);
    // A sine's second difference is bounded: a click would stand out by far.
    const bound = 0.5 * ((2 * Math.PI * 1000 * 1.005) / 48000) ** 2;
    for (let i = 100; i < left.length - 1; i++)
      assert.ok(Math.abs(left[i - 1]! - 2 * left[i]! + left[i + 1]!) < bound * 1.1, `at ${i}`);
  });
});

describe('Opus', () => {
  /** A second of the tone, whole periods of it: said again and again it goes on without a break. */
  const second = ((): Buffer[] => {
    const source = new SoundInput(LIVE);
    const packets = [...tone(48000, 2, 's16le', 1.5)].flatMap((frame) => source.push(frame));
    source.close();
    return packets.slice(-50).map(({ opus }) => opus);
  })();
  const packetAt = (n: number): Buffer => second[n % 50]!;

  test('of 20 ms passes untouched', () => {
    const input = new SoundInput(LIVE);
    for (let n = 0; n < 20; n++)
      assert.deepEqual(
        input.push(opusFrame(packetAt(n), n)).map((packet) => packet.opus),
        [packetAt(n)],
      );
    input.close();
  });

  test('that drifts and pauses now and then still passes untouched', () => {
    const input = new SoundInput(LIVE);
    for (let n = 0; n < 1000; n++) {
      if (n % 50 === 0) input.onReport({ driftPpm: 200, waitMs: 60, targetMs: 40 });
      const sent = n % 100 === 0 ? SILENCE_FRAME : packetAt(n);
      assert.deepEqual(
        input.push(opusFrame(sent, n)).map((packet) => packet.opus),
        [sent],
      );
    }
    assert.equal(input.isReencoding, false);
    input.close();
  });

  test('that drifts and never pauses is encoded anew, at the same pitch and level', () => {
    const input = new SoundInput(LIVE);
    const packets: SoundPacket[] = [];
    for (let n = 0; n < 600; n++) {
      if (n % 50 === 0) input.onReport({ driftPpm: 200, waitMs: 60, targetMs: 40 });
      packets.push(...input.push(opusFrame(packetAt(n), n)));
    }
    assert.equal(input.isReencoding, true);
    input.close();
    const sound = hear(packets.slice(-120));
    // 200 ppm of drift, and 1500 ppm to work off the 30 ms that are too much.
    const tone = { hz: HZ * 1.0017, sampleRate: 48000 };
    const { amplitude } = measureTone(sound, tone, 48000, 96000);
    assert.ok(Math.abs(amplitude - 0.25) < 0.02, `${amplitude}`);
  });

  test('in one frame of 40 or 60 ms is encoded anew', () => {
    for (const frameMs of [40, 60] as const) {
      // SILK at 16 kHz, as speech encoders make it.
      const codec = new OpusCodec(chooseLibrary(), 16000, 1);
      codec.encoderControl('application', 2048);
      codec.encoderControl('bitrate', 16000);
      const samples = 16 * frameMs;
      const input = new SoundInput(LIVE);
      const packets: SoundPacket[] = [];
      for (let n = 0; n < 25; n++) {
        const pcm = Buffer.alloc(samples * 2);
        for (let i = 0; i < samples; i++)
          pcm.writeInt16LE(
            Math.round(8000 * Math.sin((2 * Math.PI * HZ * (n * samples + i)) / 16000)),
            i * 2,
          );
        packets.push(...input.push(opusFrame(codec.encode(pcm), n, 48 * frameMs)));
      }
      codec.close();
      input.close();
      for (const { opus } of packets) assert.equal(parsePacket(opus).samples, 960);
      const wanted = (25 * frameMs) / 20;
      assert.ok(Math.abs(packets.length - wanted) <= 1, `${packets.length} of ${wanted}`);
    }
  });
});

describe('what is no sound', () => {
  test('is refused in words, and the stream goes on', () => {
    const input = new SoundInput(LIVE);
    const isBadInput = (error: unknown): boolean =>
      error instanceof OrgoError && error.code === 'ORGO_BAD_INPUT';
    assert.throws(() => input.push(opusFrame(Buffer.of(0xff, 0), 0)), isBadInput);
    const wav = {
      ...opusFrame(Buffer.alloc(10), 0),
      format: { encoding: 'wav', sampleRate: 48000, channels: 1 } as const,
    };
    assert.throws(() => input.push(wav), /wav came/);
    assert.equal(input.push(opusFrame(SILENCE_FRAME, 1)).length, 1);
    input.close();
  });
});
