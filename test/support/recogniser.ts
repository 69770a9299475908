/** Debian's pocketsphinx: words of a WAV file, and the human recordings on which it is stable. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DATA = '/usr/share/pocketsphinx/test/data';
const RATE = 16_000;
const RAW_INPUT = ['-t', 'raw', '-r', String(RATE), '-e', 'signed', '-b', '16', '-c', '1'];
/** Seconds of silence put around a recording. */
const PADDING = ['pad', '1', '1'];

/** What is expected to be said: anything, or a hand of cards (the grammar that lies beside the recordings). */
export type Vocabulary = 'general' | 'cards';

export interface Clip {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  /** A WAV file, 16 kHz mono. */
  readonly path: string;
  /** What the recogniser makes of the file itself. */
  readonly text: string;
  /** Whether padding and resampling to 24 kHz and back, both by sox, leave it that text. */
  readonly isStable: boolean;
}

/** The words in a WAV file of 16 kHz, mono. */
export async function recognise(path: string, vocabulary: Vocabulary): Promise<string> {
  const grammar = vocabulary === 'cards' ? ['-jsgf', join(DATA, 'cards', 'cards.gram')] : [];
  const { stdout } = await run('pocketsphinx_continuous', [
    ...grammar,
    ...['-infile', path, '-logfn', '/dev/null'],
  ]);
  return stdout.trim().split(/\s+/).join(' ');
}

/** Human recordings: a command, and five hands of cards. @param directory for files that are made of them */
export async function humanClips(directory: string): Promise<Clip[]> {
  const clips = [await clip(directory, 'goforward.raw', 'general')];
  for (const card of ['001', '002', '003', '004', '005']) {
    clips.push(await clip(directory, join('cards', `${card}.wav`), 'cards'));
  }
  return clips;
}

async function clip(directory: string, file: string, vocabulary: Vocabulary): Promise<Clip> {
  const [name = file] = (file.split('/').at(-1) ?? file).split('.');
  const at = (kind: string): string => join(directory, `${name}-${kind}.wav`);
  const path = at('direct');
  await run('sox', [...(file.endsWith('.raw') ? RAW_INPUT : []), join(DATA, file), path]);
  await run('sox', [path, at('padded'), ...PADDING]);
  await run('sox', [path, '-r', '24000', at('24k'), 'rate', '-v']);
  await run('sox', [at('24k'), '-r', String(RATE), at('resampled'), 'rate', '-v']);
  const text = await recognise(path, vocabulary);
  const others = [await recognise(at('padded'), vocabulary), await recognise(at('resampled'), vocabulary)];
  return { name, vocabulary, path, text, isStable: others.every((other) => other === text) };
}
