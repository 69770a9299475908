/** From a sound card to words: recordings of people, played into PulseAudio, come out of the example as text. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseWavHeader } from '../../src/containers/wav-header';
import { fillIn, importExample, withFlowEnv, type Flow } from '../support/examples';
import { userDirectoryWithLink } from '../support/linked-package';
import { freePort, startNodeRed, type NodeRed } from '../support/node-red';
import { describeWith, needs } from '../support/needs';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { humanClips, recognise, type Clip, type Vocabulary } from '../support/recogniser';
import { OWN_RUNTIME, type UserDirectory } from '../support/runtimes';
import {
  locate,
  RECORDING_RATE,
  samplesOf,
  startTimedRecording,
  type RecordedSound,
} from '../support/timed-recording';
import { startTranscriber, type Transcriber } from '../support/transcriber';

const API_KEY = 'key-of-the-transcriber';
const MIN_STABLE_CLIPS = 3;
/** A player with less runs dry on a busy machine, and the words change with the hole. */
const PLAYER_LATENCY_MS = 200;
const TIME_TOLERANCE_MS = 50;
/** Of the utterance and the recording where they are the same sound; other words correlate far less. */
const MIN_CORRELATION = 0.9;
const WAV_HEADER_BYTES = 44;

/** The message behind *Its words*. */
interface TextMessage {
  readonly payload: string;
  readonly audio: { encoding: string; sampleRate: number; channels: number; samples: number; time: number };
  readonly speech: { id: string; startTime: number; part: number; final: boolean };
}

/** Everything that was said while clips of one vocabulary were played. */
interface Session {
  readonly texts: readonly TextMessage[];
  /** When each clip was begun to be played, epoch ms. */
  readonly started: readonly number[];
  readonly recorded: RecordedSound;
  /** The utterances' WAV files, in the order of `texts`. */
  readonly wavs: readonly Buffer[];
}

describeWith(
  needs('pulseaudio', 'paplay', 'parec', 'sox', 'pocketsphinx_continuous', 'pocketsphinx-testdata'),
  'transcription by an OpenAI-compatible service',
  ({ test, before, after }) => {
    let directory: string;
    let clips: Clip[];
    let pulse: PulseDaemon;
    let transcriber: Transcriber;
    let userDir: UserDirectory;
    let nodeRed: NodeRed;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'orgo-words-'));
      clips = await humanClips(directory);
      pulse = await startPulse({ norewinds: true });
      transcriber = await startTranscriber({
        apiKey: API_KEY,
        directory,
        recognise: (path, model) => recognise(path, model as Vocabulary),
      });
      userDir = await userDirectoryWithLink();
      const env = { ...pulse.env, OPENAI_API_KEY: API_KEY, OPENAI_BASE_URL: transcriber.baseUrl };
      nodeRed = await startNodeRed({ ...OWN_RUNTIME, userDir: userDir.path, env });
    });
    after(async () => {
      await nodeRed.stop();
      await transcriber.stop();
      await pulse.stop();
      await userDir.remove();
      await rm(directory, { recursive: true });
    });

    /** The example on a free port; its debug node *Text* tells the whole message. */
    async function example(model: string): Promise<Flow> {
      const port = await freePort();
      const flow = await importExample('transcription/openai-http');
      const own = fillIn(flow, 'orgo-audio-server', { port });
      const heard = fillIn(own, 'orgo-computer', { audioUrl: `ws://127.0.0.1:${port}/audio` });
      const whole = heard.map((node) =>
        node.type === 'debug' && node.name === 'Text'
          ? { ...node, complete: 'true', targetType: 'full' }
          : node,
      );
      return withFlowEnv(whole, { OPENAI_MODEL: model });
    }

    /** Plays clips one after another into a fresh flow, and a last one once more: its words come after all others. */
    async function say(vocabulary: Vocabulary, said: readonly Clip[]): Promise<Session> {
      const before = transcriber.transcribed.length;
      await nodeRed.deploy(await example(vocabulary));
      await nodeRed.debug('Server events', ({ msg }) => msg.includes('listener-connected'));
      const recording = await startTimedRecording(pulse.env, 'vspk.monitor');
      const started: number[] = [];
      for (const clip of [...said, ...said.slice(-1)]) {
        started.push(Date.now());
        await pulse.play(join(directory, `${clip.name}-padded.wav`), { latencyMs: PLAYER_LATENCY_MS }).done;
      }
      const texts: TextMessage[] = [];
      const seen = new Set<string>();
      const lastStart = started.pop() ?? 0;
      for (;;) {
        const { msg } = await nodeRed.debug('Text', (message) => !seen.has(message.msg));
        seen.add(msg);
        const text = JSON.parse(msg) as TextMessage;
        if (text.speech.startTime >= lastStart) break;
        texts.push(text);
      }
      const wavs = transcriber.transcribed.slice(before).map(({ wav }) => wav);
      return { texts, started, recorded: await recording.stop(), wavs };
    }

    function checkTimes(t: TestContext, { texts, wavs, recorded }: Session): void {
      for (const [i, { audio, payload }] of texts.entries()) {
        const wav = wavs[i] ?? Buffer.alloc(0);
        const format = parseWavHeader(wav)?.format;
        assert.deepEqual(format, { encoding: 's16le', sampleRate: RECORDING_RATE, channels: 1 });
        assert.equal(audio.samples, (wav.length - WAV_HEADER_BYTES) / 2, 'the text is that of the file');
        const place = locate(samplesOf(wav.subarray(WAV_HEADER_BYTES)), recorded.samples);
        assert.ok(place.correlation > MIN_CORRELATION, `${payload}: correlation ${place.correlation}`);
        const truth = recorded.startTime + (place.index / RECORDING_RATE) * 1000;
        const offBy = audio.time - truth;
        t.diagnostic(`${payload}: ${offBy.toFixed(1)} ms off`);
        assert.ok(Math.abs(offBy) <= TIME_TOLERANCE_MS, `${payload}: its time is off by ${offBy} ms`);
      }
    }

    function wordsOf({ texts, started }: Session, clip: number): string {
      const from = started[clip] ?? Infinity;
      const to = started[clip + 1] ?? Infinity;
      const its = texts.filter(({ speech }) => speech.startTime >= from && speech.startTime < to);
      return its.map(({ payload }) => payload).join(' ');
    }

    test('has recordings on which the recogniser itself is stable', (t) => {
      for (const { name, isStable, text } of clips)
        t.diagnostic(`${name}${isStable ? '' : ', not stable'}: ${text}`);
      const stable = clips.filter(({ isStable }) => isStable);
      assert.ok(stable.length >= MIN_STABLE_CLIPS, `${stable.length} clips`);
      const command = stable.find(({ name }) => name === 'goforward');
      assert.equal(command?.text, 'go forward ten meters');
    });

    for (const vocabulary of ['general', 'cards'] as const) {
      test(`hears the words of the files themselves, at their time: ${vocabulary}`, async (t) => {
        const said = clips.filter((clip) => clip.vocabulary === vocabulary && clip.isStable);
        const session = await say(vocabulary, said);
        for (const [i, { name, text }] of said.entries()) assert.equal(wordsOf(session, i), text, name);
        checkTimes(t, session);
      });
    }

    test('tells what the service refused, with its own words', async () => {
      const flow = await example('general');
      const tab = flow.find(({ type }) => type === 'tab');
      const request = flow.find(({ name }) => name === 'Its request');
      assert.ok(tab && request);
      const wrongKey = String(request['func']).replace("env.get('OPENAI_API_KEY')", "'another key'");
      const changed = flow.map((node) => (node === request ? { ...node, func: wrongKey } : node));
      const caught = [
        { id: 'caught', type: 'catch', z: tab.id, scope: null, uncaught: false, wires: [['refused']] },
        {
          ...{ id: 'refused', type: 'debug', z: tab.id, name: 'Refused', active: true, tosidebar: true },
          ...{ complete: 'error.message', targetType: 'msg', wires: [] },
        },
      ];
      await nodeRed.deploy([...changed, ...caught]);
      await nodeRed.debug('Server events', ({ msg }) => msg.includes('listener-connected'));
      const player = pulse.play(join(directory, 'goforward-padded.wav'), { latencyMs: PLAYER_LATENCY_MS });
      const { msg } = await nodeRed.debug('Refused');
      await player.done;
      assert.equal(msg, 'The service answered 401: Incorrect API key provided');
    });
  },
);
