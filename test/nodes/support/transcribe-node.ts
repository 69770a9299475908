/** The transcribing node in a flow that is not there, and messages of coded words to send in. */
import { createRequire } from 'node:module';
import type { Message, Red } from '../../../nodes/shared/red';
import type { Dependencies } from '../../../nodes/shared/stream-node';
import { msOfSamples } from '../../../src/audio/format';
import type { Transcript } from '../../../src/transcribe/words';
import { FakeClock } from '../fake-clock';
import { FakeRed, type FakeNode } from '../fake-red';

export const RATE = 24_000;
/** When the first sample of every stream was captured, epoch ms. */
export const START_TIME = 1_700_000_001_000;

const register = createRequire(__filename)(
  '../../../nodes/orgo-audio-transcribe/orgo-audio-transcribe.ts',
) as (RED: Red, given?: Partial<Dependencies & { random: () => number }>) => void;

export interface TranscribeNode {
  readonly node: FakeNode;
  readonly clock: FakeClock;
}

export function transcribeNode(
  settings: Record<string, unknown>,
  apiKey: string,
  clock = new FakeClock(),
): TranscribeNode {
  const RED = new FakeRed();
  register(RED, { clock, defer: (fn) => void setImmediate(fn), random: () => 0.5 });
  return { node: RED.create('orgo-audio-transcribe', settings, { apiKey }), clock };
}

/** A message of s16 mono; `atMs` is its place in the stream. */
export function sound(data: Buffer, atMs: number, more: Message = {}, stream = 'a'): Message {
  const position = (atMs * RATE) / 1000;
  return {
    topic: stream,
    payload: data,
    audio: {
      ...{ encoding: 's16le', sampleRate: RATE, channels: 1, samples: data.length / 2, stream, position },
      time: START_TIME + msOfSamples(RATE, position),
    },
    ...more,
  };
}

/** Sends `data` in messages of 20 ms, the clock going on with each. */
export async function speak(
  { node, clock }: TranscribeNode,
  data: Buffer,
  atMs = 0,
  stream = 'a',
): Promise<void> {
  const bytes = (RATE / 50) * 2;
  for (let at = 0; at < data.length; at += bytes) {
    clock.advance(20);
    const error = await node.receive(
      sound(data.subarray(at, at + bytes), atMs + (at / bytes) * 20, {}, stream),
    );
    if (error) throw error;
  }
}

export function transcriptOf(msg: Message | undefined): Transcript {
  return (msg as { transcript: Transcript }).transcript;
}
