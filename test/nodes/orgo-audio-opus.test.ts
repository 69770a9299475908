import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { opusNode } from '../../nodes/orgo-audio-opus/audio-opus';
import type { Message } from '../../nodes/shared/red';
import { bytesPerSample, type PcmFormat } from '../../src/audio/format';
import { chooseLibrary } from '../../src/opus/choose-library';
import type { OpusLibrary } from '../../src/opus/library';
import { parsePacket } from '../../src/opus/packet';
import { loadWasmLibrary } from '../../src/opus/wasm-library';
import { firstPage } from '../containers/support/ogg';
import { s16, START_TIME, sweep } from '../opus/support/sound';
import { FakeClock } from './fake-clock';
import { FakeRed, type FakeNode } from './fake-red';

const TYPE = 'orgo-audio-opus';
const STEREO = s16(48000, 2);

function setUp(config: Record<string, unknown> = {}, library: OpusLibrary = chooseLibrary()): FakeNode {
  const RED = new FakeRed();
  const dependencies = { clock: new FakeClock(), defer: (fn: () => void) => void setImmediate(fn) };
  opusNode(() => library)(RED, dependencies);
  return RED.create(TYPE, config);
}

function audioOf(msg: Message | undefined): Record<string, unknown> {
  return (msg?.audio ?? {}) as Record<string, unknown>;
}

function bytesOf(messages: readonly Message[]): Buffer {
  return Buffer.concat(messages.map((msg) => msg.payload as Buffer));
}

function samplesOf(messages: readonly Message[]): number {
  return messages.reduce((sum, msg) => sum + Number(audioOf(msg)['samples']), 0);
}

/** `data` in messages of 20 ms, the last one `complete`. */
function messages(format: PcmFormat, data: Buffer, stream = 'a'): Message[] {
  const samples = format.sampleRate / 50;
  const size = samples * bytesPerSample(format);
  return Array.from({ length: Math.ceil(data.length / size) }, (_, i) => ({
    topic: 'desk',
    payload: data.subarray(i * size, (i + 1) * size),
    audio: { ...format, stream, position: i * samples, time: START_TIME + i * 20 },
    ...((i + 1) * size >= data.length && { complete: true }),
  }));
}

async function receiveAll(node: FakeNode, input: readonly Message[]): Promise<Message[]> {
  const before = node.output(0).length;
  for (const msg of input) assert.equal(await node.receive(msg), undefined);
  return node.output(0).slice(before);
}

describe('orgo-audio-opus encodes', () => {
  it('to one packet a message, each at its place, and back to as many samples', async () => {
    const data = sweep(STEREO, 1010);
    const packets = await receiveAll(setUp({ bitrate: '96000' }), messages(STEREO, data));
    let position = 0;
    for (const [index, msg] of packets.entries()) {
      assert.equal(parsePacket(msg.payload as Buffer).samples, 960);
      const audio = audioOf(msg);
      assert.equal(msg.topic, 'desk');
      const { encoding, sampleRate, channels, stream, sequence, preSkip } = audio;
      assert.deepEqual(
        { encoding, sampleRate, channels, stream, sequence, preSkip },
        { encoding: 'opus', sampleRate: 48000, channels: 2, stream: 'a', sequence: index, preSkip: 312 },
      );
      assert.equal(audio['position'], position);
      assert.equal(audio['time'], START_TIME + position / 48);
      position += Number(audio['samples']);
    }
    assert.equal(position, 48480);
    assert.equal(packets.at(-1)?.['complete'], true);
    const pcm = await receiveAll(setUp({ mode: 'decode' }), packets);
    assert.equal(samplesOf(pcm), 48480);
    assert.equal(bytesOf(pcm).length, 48480 * 4);
    assert.equal(audioOf(pcm[0])['time'], START_TIME);
    assert.equal(pcm.at(-1)?.['complete'], true);
  });

  it('to an Ogg stream of whole pages, and back', async () => {
    const pages = await receiveAll(setUp({ container: 'ogg' }), messages(STEREO, sweep(STEREO, 1010)));
    assert.equal(audioOf(pages[0])['encoding'], 'ogg');
    assert.equal(samplesOf(pages), 48480);
    for (const msg of pages) firstPage(msg.payload as Buffer);
    const decode = setUp({ mode: 'decode', channels: 1, encoding: 'f32le', sampleRate: 16000 });
    const pcm = await receiveAll(decode, pages);
    assert.equal(samplesOf(pcm), 16160);
    assert.equal(bytesOf(pcm).length, 16160 * 4);
  });

  it('packets into Ogg as they are', async () => {
    const packets = await receiveAll(setUp(), messages(STEREO, sweep(STEREO, 1010)));
    const file = bytesOf(await receiveAll(setUp({ container: 'ogg' }), packets));
    for (const msg of packets) assert.ok(file.includes(msg.payload as Buffer));
    assert.equal(
      samplesOf(await receiveAll(setUp({ mode: 'decode' }), [{ payload: file, complete: true }])),
      48480,
    );
  });

  it('with settings that msg.opus changes, alone or with sound', async () => {
    const node = setUp({ bitrate: 128000 });
    const [first, second, third, fourth] = messages(STEREO, sweep(STEREO, 80));
    await receiveAll(node, [first ?? {}, { opus: { bitrate: '12000' } }, second ?? {}]);
    await receiveAll(node, [{ ...third, opus: { bitrate: 128000, frameMs: 10 } }, fourth ?? {}]);
    const lengths = node.output(0).map((msg) => (msg.payload as Buffer).length);
    assert.ok((lengths[1] ?? 0) < 0.3 * (lengths[0] ?? 0));
    assert.deepEqual(
      node
        .output(0)
        .map((msg) => parsePacket(msg.payload as Buffer).samples)
        .slice(0, 6),
      [960, 960, 480, 480, 480, 480],
    );
    for (const [opus, text] of [
      [{ bitrate: 1 }, /bitrate is 1: it must be a whole number from 6000 to 510000/],
      [{ bitRate: 64000 }, /no setting bitRate: there are application, bitrate/],
      ['fast', /msg\.opus is the text "fast"/],
    ] as const)
      assert.match((await node.receive({ opus }))?.message ?? '', text);
  });

  it('what holds no description by its settings', async () => {
    const node = setUp({ inputSampleRate: 16000, inputChannels: 2, inputEncoding: 'f32le' });
    const out = await receiveAll(node, [{ payload: Buffer.alloc(320 * 8) }, { reset: true }]);
    assert.equal(audioOf(out[0])['sampleRate'], 16000);
    assert.equal(audioOf(out[0])['channels'], 2);
    assert.equal(samplesOf(out), 320);
  });
});

describe('orgo-audio-opus decodes', () => {
  it('packets that are hardly described, or not at all', async () => {
    const packets = await receiveAll(setUp(), messages(STEREO, sweep(STEREO, 200)));
    const bare = packets.map(({ payload }) => ({ payload }));
    assert.equal(samplesOf(await receiveAll(setUp({ mode: 'decode' }), bare)), packets.length * 960);
    const described = packets.map(({ payload }) => ({
      payload,
      audio: { encoding: 'opus', sampleRate: 24000, channels: 2 },
    }));
    assert.equal(samplesOf(await receiveAll(setUp({ mode: 'decode' }), described)), packets.length * 960);
  });

  it('conceals what a gap tells of', async () => {
    const packets = await receiveAll(setUp(), messages(STEREO, sweep(STEREO, 400)));
    const kept = packets.flatMap((msg, i) => {
      if (i === 5) return [];
      return [i === 6 ? { ...msg, audio: { ...audioOf(msg), gap: 960 } } : msg];
    });
    const pcm = await receiveAll(setUp({ mode: 'decode' }), kept);
    assert.equal(samplesOf(pcm), 19200);
  });
});

describe('orgo-audio-opus holds out against', () => {
  it('what is no sound', async () => {
    const encode = setUp();
    for (const payload of ['text', 42, {}, new Int16Array(960), undefined])
      assert.match((await encode.receive({ payload }))?.message ?? '', /Buffer of sound is wanted/);
    for (const [audio, text] of [
      [{ ...STEREO, sampleRate: 7999 }, /sampleRate is 7999/],
      [{ ...STEREO, sampleRate: '48000' }, /sampleRate is the text/],
      [{ ...STEREO, sampleRate: 1e9 }, /sampleRate is 1000000000/],
      [{ ...STEREO, encoding: 'opus' }, /encoding is the text "opus"/],
    ] as const)
      assert.match((await encode.receive({ payload: Buffer.alloc(4), audio }))?.message ?? '', text);
    assert.equal(encode.output(0).length, 0);
    assert.deepEqual(await receiveAll(encode, [{ payload: Buffer.alloc(0) }]), []);
  });

  it('packets that are noise, truncated, empty or 100 MB', async () => {
    const node = setUp({ mode: 'decode' });
    const audio = { encoding: 'opus', sampleRate: 48000, channels: 2 };
    for (const payload of [Buffer.of(0xff, 0xff, 0xff), Buffer.alloc(1 << 20, 0x7f), Buffer.alloc(100 << 20)])
      assert.match((await node.receive({ payload, audio }))?.message ?? '', /no Opus packet/);
    assert.match(
      (await setUp({ mode: 'decode' }).receive({ payload: Buffer.alloc(100_000) }))?.message ?? '',
      /alone does not show what it is/,
    );
    await receiveAll(node, [{ payload: Buffer.alloc(0), audio }]);
    assert.equal(samplesOf(await receiveAll(node, [{ payload: Buffer.of(0xfc, 1, 2, 3), audio }])), 960);
  });

  it('odd bytes, one at a time', async () => {
    const data = sweep(s16(16000, 1), 60);
    const one = [...data].map((byte) => ({
      payload: Buffer.of(byte),
      audio: { encoding: 's16le', sampleRate: 16000, channels: 1 },
    }));
    const whole = [{ payload: data, audio: one[0]?.audio }];
    const end = { complete: true };
    assert.deepEqual(
      bytesOf(await receiveAll(setUp(), [...one, end])),
      bytesOf(await receiveAll(setUp(), [...whole, end])),
    );
  });

  it('settings out of range, from the editor and from the environment', async () => {
    for (const [config, text] of [
      [{ bitrate: 1e9 }, /bitrate is 1000000000/],
      [{ frameMs: '21' }, /frameMs is "21"/],
      [{ mode: 'transcode' }, /mode is "transcode"/],
      [{ sampleRate: '${RATE_THAT_IS_NOT_SET}' }, /RATE_THAT_IS_NOT_SET is not set/],
      [{ channels: 3 }, /channels is 3/],
    ] as const) {
      const node = setUp(config);
      assert.match(node.errors.join(), text);
      assert.equal(node.lastStatus?.text, 'bad-setting');
      assert.match((await node.receive({ payload: Buffer.alloc(4) }))?.message ?? '', text);
    }
  });
});

describe('orgo-audio-opus carries', () => {
  for (const library of [chooseLibrary(), loadWasmLibrary()]) {
    it(`256 streams in one node and 300 in two, with ${library.name}`, async () => {
      const nodes = [setUp({}, library), setUp({}, library)] as const;
      const data = sweep(STEREO, 40);
      for (const half of [0, 1]) {
        for (let i = 0; i < 300; i++) {
          const node = nodes[i < 256 ? 0 : 1];
          const msg = messages(STEREO, data, `stream ${i}`)[half];
          assert.equal(await node.receive({ ...msg, complete: undefined }), undefined);
        }
      }
      const [first] = nodes[0].output(0);
      assert.equal(nodes[0].output(0).length, 512);
      assert.equal(nodes[1].output(0).length, 88);
      for (const msg of nodes[1].output(0).slice(0, 44)) assert.deepEqual(msg.payload, first?.payload);
      for (const node of nodes) await node.close();
    });
  }

  it('two streams that come interleaved, each as if alone', async () => {
    const [a, b] = [
      messages(STEREO, sweep(STEREO, 200), 'a'),
      messages(s16(16000, 1), sweep(s16(16000, 1), 200), 'b'),
    ];
    const both = await receiveAll(
      setUp(),
      a.flatMap((msg, i) => [msg, b[i] ?? {}]),
    );
    for (const [name, input] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const alone = await receiveAll(setUp(), input);
      assert.deepEqual(bytesOf(both.filter((msg) => audioOf(msg)['stream'] === name)), bytesOf(alone));
    }
  });

  it('a stream that starts over after its end', async () => {
    const node = setUp();
    const input = messages(STEREO, sweep(STEREO, 100));
    const first = bytesOf(await receiveAll(node, input));
    assert.deepEqual(bytesOf(await receiveAll(node, input)), first);
  });
});

describe('the status of orgo-audio-opus', () => {
  it('shows the library, and what it does', async () => {
    const node = setUp({}, loadWasmLibrary());
    assert.equal(node.lastStatus?.text, 'idle {"library":"wasm"}'.slice(0, 18) + '…');
    assert.equal(node.lastStatus.fill, 'grey');
    await node.close();
    assert.deepEqual(node.lastStatus, {});
  });
});

it('encodes what waits by the settings of its arrival: `msg.opus` counts from its own message on', async () => {
  const clock = new FakeClock();
  const deferred: (() => void)[] = [];
  const RED = new FakeRed();
  const library = chooseLibrary();
  const slow: OpusLibrary = {
    name: library.name,
    open(sampleRate, channels) {
      const codec = library.open(sampleRate, channels);
      return {
        encode(pcm, frameSamples) {
          clock.advance(5);
          return codec.encode(pcm, frameSamples);
        },
        decode: (packet) => codec.decode(packet),
        encoderControl: (request, value) => codec.encoderControl(request, value),
        decoderControl: (request, value) => codec.decoderControl(request, value),
        close: () => codec.close(),
      };
    },
  };
  const dependencies = { clock, defer: (fn: () => void) => void deferred.push(fn) };
  opusNode(() => slow)(RED, dependencies);
  const node = RED.create(TYPE, {});
  const second = sweep(STEREO, 1000);
  const sent = [
    node.receive({ payload: second, audio: { ...STEREO, stream: 'a' } }),
    node.receive({ payload: second, audio: { ...STEREO, stream: 'a' } }),
    node.receive({ opus: { frameMs: 60 } }),
    node.receive({ payload: second, audio: { ...STEREO, stream: 'a' }, opus: { frameMs: 40 } }),
  ];
  assert.equal(node.output(0).length < 50, true, 'something waits');
  for (let fn = deferred.shift(); fn; fn = deferred.shift()) fn();
  assert.deepEqual(await Promise.all(sent), [undefined, undefined, undefined, undefined]);
  const lengths = node.output(0).map((msg) => Number(audioOf(msg)['samples']));
  assert.deepEqual(lengths, [...Array<number>(100).fill(960), ...Array<number>(25).fill(1920)]);
  await node.close();
});
