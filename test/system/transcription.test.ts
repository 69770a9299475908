/** From a sound card to words: recordings of people, played into PulseAudio, come out of the example as text. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseWavHeader } from '../../src/containers/wav-header';
import { fillIn, importExample, withFlowEnv, type Flow } from '../support/examples';
import { locate, samplesOf, signalToNoise, type Place } from '../support/find-sound';
import { userDirectoryWithLink } from '../support/linked-package';
import { startMachineWitness } from '../support/machine-witness';
import { freePort, startNodeRed, type NodeRed } from '../support/node-red';
import { describeWith, needs } from '../support/needs';
import { startPulse, type PulseDaemon } from '../support/pulse-daemon';
import { humanClips, recognise, RECOGNISER_RATE, type Clip, type Vocabulary } from '../support/recogniser';
import { OWN_RUNTIME, type UserDirectory } from '../support/runtimes';
import { soxResample } from '../support/sox';
import { untilProved, type Fault } from '../support/stall-witness';
import { startTimedRecording, type RecordedSound } from '../support/timed-recording';
import { startTranscriber, type Transcriber } from '../support/transcriber';

const API_KEY = 'key-of-the-transcriber';
/** A player with less runs dry on a busy machine, and the words change with the hole. */
const PLAYER_LATENCY_MS = 200;
const TIME_TOLERANCE_MS = 50;
/** Of the utterance and the recording where they are the same sound; other words correlate far less. */
const MIN_CORRELATION = 0.9;
/** Attempts in which a witness saw the machine stall: one more fails the test. */
const MAX_VOIDS = 3;
/** The capture drops sound that is 100 ms late, and an event loop holds the next piece up: no shorter stall does harm. */
const HARMFUL_STALL_MS = 50;
/** dB, of the utterance over its difference from what sox makes of the same samples. */
const MIN_SNR_DB = 40;
const WAV_HEADER_BYTES = 44;
const UTTERANCE_FORMAT = { encoding: 's16le', sampleRate: RECOGNISER_RATE, channels: 1 } as const;

/** The message behind *Its words*. */
interface TextMessage {
  readonly payload: string;
  readonly audio: { encoding: string; sampleRate: number; channels: number; samples: number; time: number };
  readonly speech: { id: string; startTime: number; part: number; final: boolean };
}

/** Everything that was said while clips of one vocabulary were played. */
interface Session {
  readonly texts: readonly TextMessage[];
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
    async function example(model: string, name = 'openai-http'): Promise<Flow> {
      const port = await freePort();
      const flow = await importExample(`transcription/${name}`);
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
    async function say(vocabulary: Vocabulary, said: readonly Clip[], name: string): Promise<Session> {
      const before = transcriber.transcribed.length;
      await nodeRed.deploy(await example(vocabulary, name));
      await nodeRed.debug('Server events', ({ msg }) => msg.includes('listener-connected'));
      const recording = await startTimedRecording(pulse.env, 'vspk.monitor');
      let lastStart = 0;
      for (const clip of [...said, ...said.slice(-1)]) {
        lastStart = Date.now();
        await pulse.play(clip.path, { latencyMs: PLAYER_LATENCY_MS }).done;
      }
      const texts: TextMessage[] = [];
      const seen = new Set<string>();
      for (;;) {
        const { msg } = await nodeRed.debug('Text', (message) => !seen.has(message.msg));
        seen.add(msg);
        const text = JSON.parse(msg) as TextMessage;
        if (text.speech.startTime >= lastStart) break;
        texts.push(text);
      }
      const wavs = transcriber.transcribed.slice(before).map(({ wav }) => wav);
      return { texts, recorded: await recording.stop(), wavs };
    }

    const examples = [
      ['general', 'openai'],
      ['cards', 'openai-http'],
    ] as const;
    for (const [vocabulary, name] of examples) {
      test(`the words are those of the very sound that was played, at its time: ${name}, ${vocabulary}`, (t) =>
        untilProved(t, MAX_VOIDS, async () => {
          const machine = startMachineWitness(process.pid, pulse.pid, nodeRed.pid);
          const session = await say(
            vocabulary,
            clips.filter((clip) => clip.vocabulary === vocabulary),
            name,
          );
          return { faults: await judge(t, vocabulary, session), stalls: await machine.stop() };
        }));
    }

    /** Judges each utterance. @returns those that are not as they were played, or not at their time */
    async function judge(t: TestContext, vocabulary: Vocabulary, session: Session): Promise<Fault[]> {
      const { texts, wavs, recorded } = session;
      const said = clips.filter((clip) => clip.vocabulary === vocabulary);
      assert.ok(texts.length >= said.length, `${texts.length} utterances of ${said.length} recordings`);
      const recordings = await resampled(recorded);
      const faults: Fault[] = [];
      for (const [i, { audio, payload }] of texts.entries()) {
        const wav = wavs[i] ?? Buffer.alloc(0);
        assert.deepEqual(parseWavHeader(wav)?.format, UTTERANCE_FORMAT);
        const samples = (audio.samples * RECOGNISER_RATE) / audio.sampleRate;
        const isOfFile = Math.abs(samples - (wav.length - WAV_HEADER_BYTES) / 2) <= 1;
        assert.ok(isOfFile, 'the text is that of the file');
        const utterance = samplesOf(wav.subarray(WAV_HEADER_BYTES));
        const place = find(utterance, recordings);
        assert.ok(place.correlation > MIN_CORRELATION, `${payload}: correlation ${place.correlation}`);
        const offBy = audio.time - (recorded.startTime + place.timeMs);
        const original = samplesOf(place.recording).subarray(place.index, place.index + utterance.length);
        const snr = signalToNoise(utterance, original);
        const found = `${payload}: ${offBy.toFixed(1)} ms off, SNR ${snr.toFixed(1)} dB`;
        t.diagnostic(found);
        if (Math.abs(offBy) > TIME_TOLERANCE_MS || snr < MIN_SNR_DB) {
          const toMs = audio.time + (utterance.length * 1000) / RECOGNISER_RATE;
          faults.push({ what: found, fromMs: audio.time, toMs, causeMs: HARMFUL_STALL_MS });
        }
        // Not the recogniser's words for the recording: it can hear others where a single bit differs.
        const path = join(directory, 'utterance.wav');
        await writeFile(path, wav);
        assert.equal(payload, await recognise(path, vocabulary), 'the words of the utterance itself');
      }
      return faults;
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
      const player = pulse.play(join(directory, 'goforward.wav'), { latencyMs: PLAYER_LATENCY_MS });
      const { msg } = await nodeRed.debug('Refused');
      await player.done;
      assert.equal(msg, 'The service answered 401: Incorrect API key provided');
    });
  },
);

/** A place in one of {@link resampled}. */
interface FoundPlace extends Place {
  readonly recording: Buffer;
  /** Of the utterance's first sample, since the first that was recorded. */
  readonly timeMs: number;
}

/** The recording as the recogniser takes it, by sox: once for each of its samples with which 16 kHz can begin. */
function resampled({ data, format }: RecordedSound): Promise<Buffer[]> {
  const sampleBytes = 2 * format.channels;
  const phases = Array.from({ length: format.rate / RECOGNISER_RATE }, (_, phase) => phase);
  const target = { rate: RECOGNISER_RATE, channels: 1 };
  return Promise.all(phases.map((phase) => soxResample(data.subarray(phase * sampleBytes), format, target)));
}

function find(utterance: Int16Array, recordings: readonly Buffer[]): FoundPlace {
  const places = recordings.map((recording, phase): FoundPlace => {
    const place = locate(utterance, samplesOf(recording));
    const timeMs = ((place.index + phase / recordings.length) * 1000) / RECOGNISER_RATE;
    return { ...place, recording, timeMs };
  });
  return places.reduce((best, place) => (place.correlation > best.correlation ? place : best));
}
