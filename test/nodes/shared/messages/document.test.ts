/** docs/messages.md says what the code does: its tables, read and compared. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MessageWriter } from '../../../../nodes/shared/messages/message-writer';
import { numbersOf } from '../../../../nodes/shared/messages/numbers';
import type { Message, Outgoing } from '../../../../nodes/shared/red';
import type { AudioFrame } from '../../../../src/audio/frame';

const ROOT = join(__dirname, '..', '..', '..', '..');
const PAGE = read('docs', 'messages.md');

const FRAME: AudioFrame = {
  format: { encoding: 'opus', sampleRate: 48000, channels: 2 },
  ...{ data: Buffer.alloc(3), samples: 960, position: 0, time: 1, gap: 0, latencyMs: 0, preSkip: 312 },
};

function read(...path: string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8');
}

/** The cells of the table whose first header is `header`, its names without their quotes. */
function table(header: string): string[][] {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header} |`));
  assert.ok(start >= 0, `no table begins with ${header}`);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function namesIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
}

/** The first column of a table. */
function firstColumn(header: string): string[] {
  return table(header).flatMap(([cell]) => namesIn(cell));
}

/** The quoted words that stand between `from` and the next `to` in a source file. */
function wordsIn(path: string, from: string, to: string): string[] {
  const [, rest = ''] = read(path).split(from);
  const [part = ''] = rest.split(to);
  return [...part.matchAll(/'([a-z0-9-]+)'/g)].map(([, word]) => word ?? '');
}

/** Names of the events that a source file mentions as a type: `event: 'a' | 'b'`. */
function eventsIn(path: string): string[] {
  const unions = read(path).matchAll(/\breadonly event: ('[a-z-]+'(?: \| '[a-z-]+')*)/g);
  return [...unions].flatMap(([, union = '']) => union.split(' | ').map((name) => name.slice(1, -1)));
}

describe('docs/messages.md', () => {
  it('lists what nodes write into msg.audio, in its order', () => {
    const sent: Message[] = [];
    const send = (outgoing: Outgoing): void => void sent.push(outgoing as Message);
    const writer = new MessageWriter('s', ['audio']);
    writer.send({ output: 'audio', frame: FRAME }, { payload: '' }, send);
    writer.complete('stopped', { payload: '' }, 0, send);
    const written = sent.map(({ audio }) => Object.keys(audio as object));
    const listed = firstColumn('`msg.audio.`');
    assert.deepEqual(written, [listed.filter((name) => name !== 'reason'), listed]);
  });

  it('lists every number that is read from it', () => {
    const listed = firstColumn('`msg.audio.`');
    for (const name of Object.keys(numbersOf(undefined))) assert.ok(listed.includes(name), name);
  });

  it('lists every encoding', () => {
    const [first] = table('`msg.audio.`');
    const encodings = [
      ...wordsIn('src/audio/format.ts', 'export type PcmEncoding =', ';'),
      ...wordsIn('src/audio/format.ts', 'export type Encoding =', ';'),
    ];
    assert.deepEqual(namesIn(first?.[2]).toSorted(), encodings.toSorted());
  });

  it('lists why a stream ends', () => {
    const client = wordsIn('src/client/stream-events.ts', 'export type StreamEndReason =', ';');
    assert.ok(client.length > 0);
    assert.deepEqual(firstColumn('the reason').toSorted(), [...client, 'idle'].toSorted());
  });

  it('lists the events of each node', () => {
    const listed = new Map<string, string[]>();
    for (const [node, event] of table('node')) {
      const [type = ''] = namesIn(node);
      listed.set(type, [...(listed.get(type) ?? []), ...namesIn(event)]);
    }
    const written = new Map([
      ['orgo-audio-in', eventsIn('nodes/orgo-audio-in/orgo-audio-in.ts')],
      ['orgo-audio-server', eventsIn('src/server/events.ts')],
      ['orgo-audio-vad', eventsIn('src/vad/speech.ts')],
      ['orgo-discord-voice', eventsIn('src/discord/voice-state.ts')],
    ]);
    for (const [type, events] of written) {
      assert.deepEqual(listed.get(type)?.toSorted(), events.toSorted(), type);
    }
  });

  it('lists what msg.speech holds', () => {
    const [, rest = ''] = read('src', 'vad', 'speech.ts').split('export interface Speech {');
    const [body = ''] = rest.split('\n}');
    const names = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    assert.deepEqual(firstColumn('`msg.speech.`'), names);
  });
});
