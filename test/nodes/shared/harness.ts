/** The harness of streams with a node around it, and messages of sound to send in. */
import type { AudioFormat, Encoding } from '../../../src/audio/format';
import { isPcm } from '../../../src/audio/format';
import { Framer } from '../../../src/audio/framer';
import type { InputSettings } from '../../../nodes/shared/audio-description';
import { registerNode, type Message } from '../../../nodes/shared/red';
import { StreamNode, type StreamNodeOptions } from '../../../nodes/shared/stream-node';
import type { AudioFrame } from '../../../src/audio/frame';
import { toOutput, type Transform } from '../../../src/audio/transform';
import { FakeClock } from '../fake-clock';
import { FakeRed, type FakeNode } from '../fake-red';

export const SETTINGS: InputSettings = { inputEncoding: 's16le', inputSampleRate: 24000, inputChannels: 1 };

export interface Harness {
  readonly node: FakeNode;
  readonly clock: FakeClock;
  /** Lets the event loop take a turn, as far as deferred work goes. */
  readonly turn: () => void;
  /** Turns until nothing is deferred any more; how many that took. */
  readonly settle: () => number;
}

/** Frames of 10 ms: what is held, and where borders are, shows at once. */
export function framing(format: AudioFormat): Transform<Encoding, AudioFrame> {
  if (!isPcm(format)) throw new TypeError(`no PCM: ${format.encoding}`);
  return new Framer(format, format.sampleRate / 100);
}

export function harness(options: Partial<StreamNodeOptions> = {}): Harness {
  const clock = new FakeClock();
  const deferred: (() => void)[] = [];
  const RED = new FakeRed();
  const dependencies = { clock, defer: (fn: () => void) => void deferred.push(fn) };
  registerNode(RED, 'a-node', {}, (node) => {
    const streamNode = new StreamNode(
      node,
      {
        accepted: { settings: SETTINGS, encodings: ['s16le', 'f32le'] },
        create: ({ format }) => toOutput(framing(format)),
        ...options,
      },
      dependencies,
    );
    return streamNode;
  });
  const turn = (): void => {
    for (const fn of deferred.splice(0)) fn();
  };
  const settle = (): number => {
    let turns = 0;
    for (; deferred.length > 0; turns++) turn();
    return turns;
  };
  return { node: RED.create('a-node', { id: 'the-node' }), clock, turn, settle };
}

/** s16 samples that count from `from` on. */
export function counting(samples: number, from = 0): Buffer {
  const data = Buffer.alloc(samples * 2);
  for (let i = 0; i < samples; i++) data.writeInt16LE((from + i) % 30000, i * 2);
  return data;
}

/** A message of counting samples at 24 kHz mono. */
export function sound(samples: number, position = 0, audio: object = {}, rest: object = {}): Message {
  return {
    topic: 'a-computer',
    payload: counting(samples, position),
    audio: {
      ...{ encoding: 's16le', sampleRate: 24000, channels: 1, samples, stream: 's', position },
      ...{ time: 5000 + position / 24, gap: 0, latencyMs: 0 },
      ...audio,
    },
    ...rest,
  };
}

/** `msg.audio` as it went out. */
export interface SentAudio {
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

export function audioOf(msg: Message): SentAudio {
  return msg.audio as SentAudio;
}

/** `[samples, position, gap]` of each. */
export function places(messages: readonly Message[]): number[][] {
  return messages.map(audioOf).map(({ samples, position, gap }) => [samples, position, gap]);
}

/** The sound of messages, one behind the other. */
export function payloads(messages: readonly Message[]): Buffer {
  return Buffer.concat(messages.map(({ payload }) => payload as Buffer));
}
