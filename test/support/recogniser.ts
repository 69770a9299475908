/** Debian's pocketsphinx: words of a WAV file, and the human recordings that it knows. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HUMAN_SPEECH } from './needs';

const run = promisify(execFile);

const SENTENCES = ['goforward.raw', 'something.raw', 'numbers.raw'];
const CARDS = ['001', '002', '003', '004', '005'];
/** Hz; what the recogniser takes, mono. */
export const RECOGNISER_RATE = 16_000;
const RAW_INPUT = ['-t', 'raw', '-r', String(RECOGNISER_RATE), '-e', 'signed', '-b', '16', '-c', '1'];
/** Silence around a recording that is played, in seconds. */
const PADDING = ['pad', '1', '1'];

/** What is expected to be said: anything, or a hand of cards (the grammar that lies beside the recordings). */
export type Vocabulary = 'general' | 'cards';

export interface Clip {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  /** A WAV file: the recording, with silence around it. */
  readonly path: string;
}

/** The words in a WAV file of 16 kHz, mono. */
export async function recognise(path: string, vocabulary: Vocabulary): Promise<string> {
  const grammar = vocabulary === 'cards' ? ['-jsgf', join(HUMAN_SPEECH, 'cards', 'cards.gram')] : [];
  const { stdout } = await run('pocketsphinx_continuous', [
    ...grammar,
    ...['-infile', path, '-logfn', '/dev/null'],
  ]);
  return stdout.trim().split(/\s+/).join(' ');
}

/** Human recordings: three sentences, and five hands of cards. @param directory for files that are made of them */
export function humanClips(directory: string): Promise<Clip[]> {
  const clips = [
    ...SENTENCES.map((file) => ({ file, vocabulary: 'general' as const })),
    ...CARDS.map((card) => ({ file: join('cards', `${card}.wav`), vocabulary: 'cards' as const })),
  ];
  return Promise.all(
    clips.map(async ({ file, vocabulary }) => {
      const [name = file] = (file.split('/').at(-1) ?? file).split('.');
      const path = join(directory, `${name}.wav`);
      const input = file.endsWith('.raw') ? RAW_INPUT : [];
      await run('sox', [...input, join(HUMAN_SPEECH, file), path, ...PADDING]);
      return { name, vocabulary, path };
    }),
  );
}
