/** The convert node in a flow that is not there, and what comes out of it. */
import assert from 'node:assert/strict';
import type { Message } from '../../../nodes/shared/red';
import { convertNode } from '../../../nodes/orgo-audio-convert/audio-convert';
import { systemDependencies, type Dependencies } from '../../../src/convert/engine';
import { FakeClock } from '../fake-clock';
import { FakeRed, type FakeNode } from '../fake-red';
import { audioOf, payloads } from '../shared/harness';

export type ConvertNode = FakeNode & {
  /** Colour and text of the status that is shown last. */
  readonly shown: () => string;
};

/** A node with these settings, as a deploy makes it. */
export function convert(
  settings: Record<string, unknown> = {},
  dependencies: Dependencies = systemDependencies,
): ConvertNode {
  const clock = new FakeClock();
  const RED = new FakeRed();
  convertNode(dependencies)(RED, { clock, defer: (fn) => void setImmediate(fn) });
  const node = RED.create('orgo-audio-convert', settings);
  const shown = (): string => {
    // The latest status waits for its time.
    clock.advance(250);
    return `${node.lastStatus?.fill ?? ''} ${node.lastStatus?.text ?? ''}`;
  };
  return Object.assign(node, { shown });
}

/** What came out of one file: its messages are checked to be one stream in order, ended once. */
export function fileOf(messages: readonly Message[]): { samples: number; data: Buffer; rate: number } {
  let position = 0;
  for (const [index, message] of messages.entries()) {
    const audio = audioOf(message);
    assert.deepEqual([audio.sequence, audio.position, audio.gap], [index, position, 0]);
    assert.equal(message['complete'], index === messages.length - 1 ? true : undefined);
    position += audio.samples;
  }
  return { samples: position, data: payloads(messages), rate: audioOf(messages[0]!).sampleRate };
}

/** Messages cut after each that ends a file. */
export function files(messages: readonly Message[]): Message[][] {
  const all: Message[][] = [[]];
  for (const message of messages) {
    all.at(-1)!.push(message);
    if (message['complete'] === true) all.push([]);
  }
  assert.deepEqual(all.pop(), [], 'the last file is not ended');
  return all;
}

/** Sends `file` in pieces, each when the one before was taken, and then its end. @returns the errors */
export async function sendPieces(
  node: FakeNode,
  file: Buffer,
  more: Message = {},
  bytes = 3000,
): Promise<string[]> {
  const errors: string[] = [];
  for (let at = 0; at < file.length; at += bytes) {
    const error = await node.receive({ ...more, payload: file.subarray(at, at + bytes) });
    if (error) errors.push(error.message);
  }
  const error = await node.receive({ ...more, complete: true });
  return error ? [...errors, error.message] : errors;
}
