/** Debian's pocketsphinx: words of a WAV file, and the human recordings on which it is stable. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DATA = '/usr/share/pocketsphinx/test/data';
/** Short and clear: of the sentences of a novel there, the words hang on where the recogniser's frames begin. */
const SENTENCES = ['goforward.raw', 'something.raw', 'numbers.raw'];
const CARDS = ['001', '002', '003', '004', '005'];
const RATE = 16_000;
const RAW_INPUT = ['-t', 'raw', '-r', String(RATE), '-e', 'signed', '-b', '16', '-c', '1'];
/** Silence around a recording that is played, in seconds. */
const PADDING = ['pad', '1', '1'];
/**
 * Silence before a recording, in seconds: it also shifts the recogniser's frames, which begin every 10 ms,
 * and where frames begin is all that decides some recordings' words.
 */
const SHIFTS = ['0.3025', '0.305', '0.3075'];

/** What is expected to be said: anything, or a hand of cards (the grammar that lies beside the recordings). */
export type Vocabulary = 'general' | 'cards';

export interface Clip {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  /** A WAV file, 16 kHz mono. */
  readonly path: string;
  /** What the recogniser makes of the file itself. */
  readonly text: string;
  /** Whether padding, shifting, and resampling to 24 kHz and back, all by sox, leave it that text. */
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

/** Human recordings: three sentences, and five hands of cards. @param directory for files that are made of them */
export async function humanClips(directory: string): Promise<Clip[]> {
  const clips: Clip[] = [];
  for (const sentence of SENTENCES) clips.push(await clip(directory, sentence, 'general'));
  for (const card of CARDS) clips.push(await clip(directory, join('cards', `${card}.wav`), 'cards'));
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
  const others = [at('padded'), at('resampled')];
  for (const shift of SHIFTS) {
    const shifted = at(`shifted-${shift}`);
    await run('sox', [path, shifted, 'pad', shift, '0.5']);
    others.push(shifted);
  }
  const texts = await Promise.all(others.map((other) => recognise(other, vocabulary)));
  return { name, vocabulary, path, text, isStable: texts.every((other) => other === text) };
}
