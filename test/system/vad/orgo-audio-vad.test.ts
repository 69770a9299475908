import assert from 'node:assert/strict';
import { describe } from 'node:test';
import audioVad from '../../../nodes/orgo-audio-vad/orgo-audio-vad';
import type { Message } from '../../../nodes/shared/red';
import { parseWavHeader } from '../../../src/containers/wav-header';
import type { Speech } from '../../../src/vad/speech';
import { recording } from '../../vad/recordings';
import { describeWith, needs } from '../../support/needs';
import { FakeClock } from '../../nodes/fake-clock';
import { FakeRed, type FakeNode } from '../../nodes/fake-red';

const TIME = 1_763_842_000_000;
const CHUNK_BYTES = 640;
const [AUDIO, UTTERANCES, EVENTS] = [0, 1, 2];

interface Audio {
  readonly encoding: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly samples: number;
  readonly stream: string;
  readonly sequence: number;
  readonly position: number;
  readonly time: number;
  readonly gap: number;
  readonly latencyMs: number;
  readonly reason?: string;
}

const audioOf = (msg: Message | undefined): Audio => msg?.audio as Audio;
const speechOf = (msg: Message | undefined): Speech => msg?.['speech'] as Speech;
const payloadOf = (msg: Message | undefined): Buffer => msg?.payload as Buffer;
const eventOf = (msg: Message): string => (msg.payload as { event: string }).event;

function vad(config: Record<string, unknown> = {}): { node: FakeNode; clock: FakeClock } {
  const RED = new FakeRed();
  const clock = new FakeClock();
  const defer = (fn: () => void): void => void setImmediate(fn);
  audioVad(RED, { clock, defer });
  return { node: RED.create('orgo-audio-vad', config), clock };
}

/** A command between two seconds of silence: 16 kHz mono s16le. */
function command(): Buffer {
  return Buffer.concat([Buffer.alloc(32000), recording('goforward.raw'), Buffer.alloc(32000)]);
}

/** The messages of a stream that holds `sound`, 20 ms each. */
function messagesOf(sound: Buffer, stream = 'pc'): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < sound.length; at += CHUNK_BYTES) {
    const position = at / 2;
    messages.push({
      topic: stream,
      payload: sound.subarray(at, at + CHUNK_BYTES),
      audio: {
        ...{ encoding: 's16le', sampleRate: 16000, channels: 1, stream, position },
        ...{ time: TIME + position / 16, gap: 0, latencyMs: 0 },
      },
    });
  }
  return messages;
}

async function receiveAll(node: FakeNode, messages: readonly Message[]): Promise<void> {
  for (const msg of messages) assert.equal(await node.receive(msg), undefined);
}

describeWith(needs('pocketsphinx-testdata'), 'orgo-audio-vad', ({ test: it }) => {
  it('sends a whole utterance as a WAV file, with its place and its speech', async () => {
    const { node } = vad();
    const sound = command();
    await receiveAll(node, messagesOf(sound));
    const [utterance, ...others] = node.output(UTTERANCES);
    assert.equal(others.length, 0);
    const { encoding, sampleRate, channels, samples, stream, position, time, sequence } = audioOf(utterance);
    assert.deepEqual([encoding, sampleRate, channels, stream, sequence], ['wav', 16000, 1, 'pc', 0]);
    const header = parseWavHeader(payloadOf(utterance));
    assert.deepEqual(header?.format, { encoding: 's16le', sampleRate: 16000, channels: 1 });
    const data = payloadOf(utterance).subarray(header.dataStart);
    assert.equal(data.length, 2 * samples);
    assert.deepEqual(data, sound.subarray(2 * position, 2 * (position + samples)));
    assert.equal(time, TIME + position / 16);
    const { id, startPosition, startTime, reason, part, final } = speechOf(utterance);
    assert.deepEqual([id, reason, part, final], [`pc:${startPosition}`, 'silence', 0, true]);
    assert.equal(startPosition, position + 4800);
    assert.equal(startTime, TIME + startPosition / 16);
    assert.equal(utterance?.topic, 'pc');
  });

  it('sends utterances as PCM, in the format that came', async () => {
    const { node } = vad({ utterance: 'pcm' });
    const sound = command();
    await receiveAll(node, messagesOf(sound));
    const [utterance] = node.output(UTTERANCES);
    const { encoding, position, samples } = audioOf(utterance);
    assert.equal(encoding, 's16le');
    assert.deepEqual(payloadOf(utterance), sound.subarray(2 * position, 2 * (position + samples)));
  });

  it('is not changed by a flow that writes into what it was sent: the utterance is what came', async () => {
    for (const gate of ['drop', 'silence']) {
      const { node } = vad({ utterance: 'pcm', gate, probabilities: true });
      node.on('sent', () => {
        for (const msg of node.output(AUDIO)) payloadOf(msg).fill(0x55);
      });
      const sound = command();
      const before = Buffer.from(sound);
      await receiveAll(node, messagesOf(sound));
      const [utterance] = node.output(UTTERANCES);
      const { position, samples } = audioOf(utterance);
      assert.deepEqual(payloadOf(utterance), before.subarray(2 * position, 2 * (position + samples)), gate);
      assert.deepEqual(sound, before, gate);
    }
  });

  it('tells where speech begins and ends, at its place', async () => {
    const { node } = vad();
    await receiveAll(node, messagesOf(command()));
    const [start, end, ...others] = node.output(EVENTS);
    assert.ok(start && end);
    assert.equal(others.length, 0);
    const { startPosition, endPosition } = speechOf(node.output(UTTERANCES)[0]);
    assert.deepEqual([eventOf(start), audioOf(start).position], ['speech-start', startPosition]);
    assert.deepEqual([eventOf(end), audioOf(end).position], ['speech-end', endPosition]);
    assert.equal(audioOf(end).samples, 0);
    assert.equal(speechOf(end).reason, 'silence');
    assert.equal((end.payload as Speech).durationMs, speechOf(end).durationMs);
  });

  it('tells the probability of every window where that is wanted', async () => {
    const { node } = vad({ probabilities: true });
    await receiveAll(node, messagesOf(command()));
    const told = node.output(EVENTS).filter((msg) => eventOf(msg) === 'probability');
    assert.deepEqual(
      told.slice(0, 3).map((msg) => audioOf(msg).position),
      [0, 512, 1024],
    );
    const probabilities = told.map((msg) => (msg.payload as { probability: number }).probability);
    assert.ok(Math.max(...probabilities) > 0.9 && Math.min(...probabilities) < 0.1);
  });

  it('drops what is no speech, and says how much is missing', async () => {
    const { node } = vad();
    await receiveAll(node, messagesOf(command()));
    const sent = node.output(AUDIO);
    const [utterance] = node.output(UTTERANCES);
    const { position, samples } = audioOf(utterance);
    assert.equal(audioOf(sent[0]).position, position);
    assert.equal(audioOf(sent[0]).gap, position);
    assert.equal(
      sent.reduce((sum, msg) => sum + audioOf(msg).samples, 0),
      samples,
    );
    assert.ok(sent.every((msg) => speechOf(msg).id === speechOf(utterance).id));
  });

  it('passes all as it came, with msg.speech beside it while someone speaks', async () => {
    const { node } = vad({ gate: 'pass' });
    const sound = command();
    await receiveAll(node, messagesOf(sound));
    const sent = node.output(AUDIO);
    assert.deepEqual(Buffer.concat(sent.map(payloadOf)), sound);
    assert.equal('speech' in (sent[0] ?? {}), false);
    assert.ok(sent.some((msg) => 'speech' in msg && !speechOf(msg).final));
  });

  it('silences what is no speech, and loses none of the samples', async () => {
    const { node } = vad({ gate: 'silence' });
    const sound = command();
    await receiveAll(node, [...messagesOf(sound), { topic: 'pc', complete: true, audio: { stream: 'pc' } }]);
    const sent = node.output(AUDIO);
    assert.equal(Buffer.concat(sent.map(payloadOf)).length, sound.length);
    assert.ok(sent.every((msg) => audioOf(msg).latencyMs === 300));
  });

  describe('closes an open utterance', () => {
    const middle = 32000 + 40_000;

    it('at the end of the stream, which leaves on the first output', async () => {
      const { node } = vad();
      const messages = messagesOf(command().subarray(0, middle));
      await receiveAll(node, [
        ...messages,
        { complete: true, topic: 'pc', audio: { stream: 'pc', reason: 'stopped' } },
      ]);
      assert.equal(speechOf(node.output(UTTERANCES)[0]).reason, 'flush');
      const last = node.output(AUDIO).at(-1);
      assert.equal(last?.['complete'], true);
      assert.equal(audioOf(last).reason, 'stopped');
      assert.ok(node.output(UTTERANCES).every((msg) => !('complete' in msg)));
    });

    it('at a reset, and starts over', async () => {
      const { node } = vad();
      await receiveAll(node, [...messagesOf(command().subarray(0, middle)), { reset: true }]);
      assert.equal(speechOf(node.output(UTTERANCES)[0]).reason, 'flush');
      await receiveAll(node, messagesOf(command()));
      assert.equal(speechOf(node.output(UTTERANCES)[1]).reason, 'silence');
    });

    it('when the node is closed', async () => {
      const { node } = vad();
      await receiveAll(node, messagesOf(command().subarray(0, middle)));
      await node.close();
      assert.equal(speechOf(node.output(UTTERANCES)[0]).reason, 'flush');
      assert.equal(audioOf(node.output(AUDIO).at(-1)).reason, 'closed');
    });

    it('at a gap, and goes on behind it', async () => {
      const { node } = vad();
      const messages = messagesOf(command());
      const cut = middle / CHUNK_BYTES;
      await receiveAll(
        node,
        messages.filter((_, i) => i < cut || i >= cut + 5),
      );
      const [before, after] = node.output(UTTERANCES);
      assert.equal(speechOf(before).reason, 'flush');
      assert.ok(audioOf(after).position >= middle / 2 + 5 * 320);
    });
  });

  it('keeps streams apart', async () => {
    const { node } = vad();
    const [a, b] = [messagesOf(command(), 'a'), messagesOf(command(), 'b')];
    await receiveAll(
      node,
      a.flatMap((msg, i) => [msg, ...b.slice(i, i + 1)]),
    );
    const utterances = node.output(UTTERANCES);
    assert.deepEqual(utterances.map((msg) => audioOf(msg).stream).toSorted(), ['a', 'b']);
    assert.deepEqual(payloadOf(utterances[0]), payloadOf(utterances[1]));
  });

  it('takes a whole file in one message, and finds the same', async () => {
    const [pieces, whole] = [vad(), vad({ inputSampleRate: 16000 })];
    await receiveAll(pieces.node, messagesOf(command()));
    await receiveAll(whole.node, [{ payload: command() }, { complete: true }]);
    assert.deepEqual(
      payloadOf(whole.node.output(UTTERANCES)[0]),
      payloadOf(pieces.node.output(UTTERANCES)[0]),
    );
  });

  it('shows whether someone speaks', async () => {
    const { node, clock } = vad();
    assert.equal(node.lastStatus?.text, 'idle');
    const shown = new Set<string>();
    for (const msg of messagesOf(command())) {
      await node.receive(msg);
      clock.advance(20);
      shown.add((node.lastStatus.text ?? '').replace(/ .*/, ''));
    }
    assert.deepEqual([...shown], ['idle', 'listening', 'speech']);
    clock.advance(250);
    assert.match(node.lastStatus.text ?? '', /^listening/);
  });

  it('refuses settings out of range, and what is no sound', async () => {
    const { node } = vad({ threshold: '1.5', maxUtteranceMs: 10 });
    assert.match(node.errors[0] ?? '', /threshold is "1.5".*maxUtteranceMs is 10/);
    assert.match(String(await node.receive({ payload: Buffer.alloc(640) })), /threshold/);
    const { node: healthy, clock } = vad();
    for (const payload of ['text', 5, { a: 1 }, new Int16Array(5)]) {
      assert.match(String(await healthy.receive({ payload })), /Buffer of sound is wanted/);
    }
    assert.equal(healthy.sent.length, 0);
    clock.advance(250);
    assert.equal(healthy.lastStatus?.text, 'bad-input');
  });

  it('takes settings as text', async () => {
    const { node } = vad({ threshold: '0.5', preRollMs: '100', probabilities: 'false' });
    await receiveAll(node, messagesOf(command()));
    const [utterance] = node.output(UTTERANCES);
    assert.equal(speechOf(utterance).startPosition - audioOf(utterance).position, 1600);
  });
});
