/** What a listener may choose, at a real server: frame length and codec, each made once for all who chose it. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { OrgoError } from '../../src/audio/errors';
import { OpusDecoder } from '../../src/opus/decoder';
import { LOOKAHEAD_SAMPLES } from '../../src/opus/settings';
import { MAX_CHOICES } from '../../src/server/admission';
import { it } from '../support/hang-guard';
import { ManualSource, SOURCE_EPOCH } from '../support/manual-source';
import { ServerRig, type TestClient } from '../support/server-rig';
import { channelOf, measureTone } from '../support/tone';

const TONE_HZ = 600;
const PEAK = 8000;
/** Of full scale. */
const AMPLITUDE = PEAK / 32_768;
const RATE = 48_000;
const CHUNK = 480;

/** A source of a tone, which also keeps what it was asked for. */
class ToneSource extends ManualSource {
  readonly chunks: number[] = [];

  constructor() {
    super({ encoding: 's16le', sampleRate: RATE, channels: 2 });
  }

  setChunk(ms: number): void {
    if (this.chunks.at(-1) !== ms) this.chunks.push(ms);
  }

  /** Gives 10 ms of the tone. */
  tone(gap = 0): void {
    const data = Buffer.alloc(CHUNK * 4);
    this.position += gap;
    for (let i = 0; i < CHUNK; i++) {
      const value = Math.round(PEAK * Math.sin((2 * Math.PI * TONE_HZ * (this.position + i)) / RATE));
      data.writeInt16LE(value, i * 4);
      data.writeInt16LE(value, i * 4 + 2);
    }
    const { position, format } = this;
    const time = SOURCE_EPOCH + (position * 1000) / RATE;
    this.sink?.onFrame({ format, data, samples: CHUNK, position, time, gap, latencyMs: 0 });
    this.position += CHUNK;
  }
}

async function withServer(
  body: (rig: ServerRig, source: ToneSource, errors: OrgoError[]) => Promise<void>,
  options: { readonly chooseOpus?: () => unknown } = {},
): Promise<void> {
  const source = new ToneSource();
  const errors: OrgoError[] = [];
  const rig = await ServerRig.open({ onError: (error) => errors.push(error), ...options }, source);
  try {
    await body(rig, source, errors);
  } finally {
    await rig.close();
  }
}

function giveMs(source: ToneSource, ms: number): void {
  for (let given = 0; given < ms; given += 10) source.tone();
}

/** The tone in what Opus packets decode to, from the second 100 ms on. */
function decodedTone(client: TestClient, sampleRate: number, frameMs: number): number {
  const decoder = new OpusDecoder({ sampleRate, channels: 1 });
  const samples = (sampleRate * frameMs) / 1000;
  const out = client.binaries.flatMap((data, i) =>
    decoder.push({
      format: { encoding: 'opus', sampleRate, channels: 1 },
      ...{ data, samples, position: i * samples, time: 0, gap: 0, latencyMs: 0 },
      preSkip: LOOKAHEAD_SAMPLES.audio,
    }),
  );
  const pcm = Buffer.concat(out.map(({ data }) => data));
  const steady = channelOf(pcm, 1).subarray(sampleRate / 10);
  return measureTone(steady, { hz: TONE_HZ, sampleRate }).amplitude;
}

describe('what a listener chooses', () => {
  it('sends the document’s listener the document’s message, byte for byte', () =>
    withServer(async (rig, source) => {
      const plain = await rig.listen('&sample_rate=24000&channels=1');
      const chosen = await rig.listen('&frame_ms=20');
      giveMs(source, 60);
      await plain.until(() => plain.binaries.length >= 2);
      await chosen.until(() => chosen.binaries.length >= 2);
      assert.equal(plain.texts[0], '{"type":"started","sample_rate":24000,"channels":1}');
      assert.equal(chosen.texts[0], '{"type":"started","sample_rate":24000,"channels":1,"frame_ms":20}');
      assert.ok(
        plain.binaries[1]?.equals(chosen.binaries[1] ?? Buffer.alloc(0)),
        'both hear the same frames',
      );
    }));

  for (const frameMs of [5, 10, 40, 60, 100]) {
    it(`is sent frames of ${frameMs} ms, and the clock counts them`, () =>
      withServer(async (rig, source) => {
        const client = await rig.listen(`&frame_ms=${frameMs}&clock=1`);
        giveMs(source, 400);
        await client.until(() => client.binaries.length >= Math.floor(390 / frameMs) - 1);
        for (const frame of client.binaries) assert.equal(frame.length, frameMs * 24 * 2);
        const amplitude = measureTone(channelOf(client.pcm, 1).subarray(3600), {
          hz: TONE_HZ,
          sampleRate: 24_000,
        });
        assert.ok(Math.abs(amplitude.amplitude / AMPLITUDE - 1) < 0.01, `${amplitude.amplitude}`);
        assert.equal(client.messages[0]?.['frame_ms'], frameMs);
        assert.equal(client.messages[1]?.['position'], 0);
      }));
  }

  for (const [sampleRate, frameMs] of [
    [48_000, 20],
    [24_000, 5],
    [16_000, 60],
    [44_100, 10],
    [22_050, 20],
    [32_000, 40],
    [8000, 20],
  ] as const) {
    it(`hears the tone in Opus at ${sampleRate} Hz, ${frameMs} ms`, () =>
      withServer(async (rig, source) => {
        const client = await rig.listen(`&codec=opus&sample_rate=${sampleRate}&frame_ms=${frameMs}`);
        giveMs(source, 600);
        await client.until(() => client.binaries.length >= Math.floor(590 / frameMs) - 1);
        assert.deepEqual(client.messages[0], {
          ...{ type: 'started', sample_rate: sampleRate, channels: 1, frame_ms: frameMs },
          ...{ codec: 'opus', pre_skip: 312, bitrate: 64_000 },
        });
        const amplitude = decodedTone(client, sampleRate, frameMs);
        assert.ok(Math.abs(amplitude / AMPLITUDE - 1) < 0.05, `${amplitude}`);
      }));
  }

  it('counts positions at the listener’s rate, though Opus has another, to half a sample after any skip', () =>
    withServer(async (rig, source) => {
      const client = await rig.listen('&codec=opus&sample_rate=44100&clock=1');
      const skips = [0, 9601, 24_007, 48_011];
      for (const skip of skips) {
        source.tone(skip);
        giveMs(source, 200);
      }
      await client.until(() => client.messages.filter(({ type }) => type === 'clock').length >= skips.length);
      const clocks = client.messages.filter(({ type }) => type === 'clock') as {
        position: number;
        time: number;
      }[];
      const [first] = clocks;
      assert.ok(first);
      for (const { position, time } of clocks) {
        const expected = ((time - first.time) * 44_100) / 1000;
        assert.ok(Math.abs(position - expected) <= 0.51, `${position} where ${expected} is expected`);
      }
    }));

  it('makes the source give its sound in shorter pieces while someone needs them, and no longer', () =>
    withServer(async (rig, source) => {
      const plain = await rig.listen();
      const near = await rig.listen('&frame_ms=5');
      const far = await rig.listen('&frame_ms=100');
      assert.deepEqual(source.chunks, [20, 5]);
      near.webSocket.close();
      await near.untilClosed();
      while (rig.audio.listenerCount > 2) await new Promise(setImmediate);
      assert.deepEqual(source.chunks, [20, 5, 20]);
      far.webSocket.close();
      plain.webSocket.close();
    }));

  it('encodes once for all who chose the same', () =>
    withServer(async (rig, source) => {
      const clients = [
        await rig.listen('&codec=opus'),
        await rig.listen('&codec=opus&bitrate=64000&clock=1'),
      ];
      giveMs(source, 200);
      for (const client of clients) await client.until(() => client.binaries.length >= 8);
      assert.deepEqual(clients[0]?.binaries.slice(0, 8), clients[1]?.binaries.slice(0, 8));
    }));

  it('is one of 16 at once: who comes with another is told, and the document’s listeners are not concerned', () =>
    withServer(async (rig) => {
      const bitrates = Array.from({ length: 30 }, (_, i) => 6000 + 1000 * i);
      const clients: TestClient[] = [];
      for (const bitrate of bitrates.slice(0, MAX_CHOICES)) {
        clients.push(await rig.listen(`&codec=opus&bitrate=${bitrate}`));
      }
      for (const bitrate of bitrates.slice(MAX_CHOICES)) {
        const client = rig.connect(`token=correct-horse&codec=opus&bitrate=${bitrate}`);
        assert.equal((await client.untilClosed()).code, 1013);
        assert.match(
          String(client.messages[0]?.['message']),
          /16 other choices of codec, frame_ms and bitrate/,
        );
      }
      await rig.listen('&sample_rate=44100&channels=2');
      await rig.listen('&codec=opus&bitrate=6000');
      clients[0]?.webSocket.close();
      assert.ok(clients.slice(1).every(({ closed }) => closed === undefined));
    }));

  it('is PCM where no Opus library loads: the owner is told once', () =>
    withServer(
      async (rig, source, errors) => {
        const client = await rig.listen('&codec=opus&frame_ms=40');
        await rig.listen('&codec=opus');
        giveMs(source, 200);
        await client.until(() => client.binaries.length >= 2);
        assert.deepEqual(client.messages[0], {
          ...{ type: 'started', sample_rate: 24_000, channels: 1, frame_ms: 40 },
        });
        assert.equal(client.binaries[0]?.length, 40 * 24 * 2);
        assert.equal(errors.length, 1);
        assert.match(errors[0]?.message ?? '', /sent PCM, since no Opus library loads: none here/);
      },
      {
        chooseOpus: () => {
          throw new Error('none here');
        },
      },
    ));

  it('is closed with 4400 and words where it can not be had', () =>
    withServer(async (rig) => {
      for (const [query, words] of [
        ['frame_ms=7', /frame_ms is "7"/],
        ['frame_ms=5&sample_rate=44100', /10, 20, 40, 60, 100 at 44100 Hz/],
        ['codec=mp3', /pcm, opus/],
        ['bitrate=64000', /codec=opus/],
      ] as const) {
        const client = rig.connect(`token=correct-horse&${query}`);
        assert.equal((await client.untilClosed()).code, 4400, query);
        assert.match(String(client.messages[0]?.['message']), words);
      }
    }));
});
