/** Speech and noise from Debian's packages, decoded to f32 mono. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ASTERISK = '/usr/share/asterisk/sounds';
const SPOKEN = '/usr/share/pocketsphinx/test/data';

/** What the set is made of: the package, and where its sounds are. */
const SOURCES = {
  'pocketsphinx-testdata': SPOKEN,
  'asterisk-core-sounds-en-g722': `${ASTERISK}/en_US_f_Allison`,
  'asterisk-core-sounds-es-g722': `${ASTERISK}/es_MX_f_Allison`,
  'asterisk-core-sounds-fr-g722': `${ASTERISK}/fr_CA_f_June`,
  'asterisk-core-sounds-it-g722': `${ASTERISK}/it_IT_m_Carlo`,
  'asterisk-core-sounds-ru-g722': `${ASTERISK}/ru_RU_f_IvrvoiceRU`,
  'frozen-bubble-data': '/usr/share/games/frozen-bubble/snd',
  'bucklespring-data': '/usr/share/buckle/wav',
  'oxygen-sounds': '/usr/share/sounds',
  'sound-theme-freedesktop': '/usr/share/sounds/freedesktop/stereo',
} as const;
export type SoundPackage = keyof typeof SOURCES;

/** Ends the program with what to install, where something is missing. */
export function requirePackages(names: readonly SoundPackage[]): void {
  const missing = names.filter((name) => !existsSync(SOURCES[name]));
  if (missing.length === 0) return;
  console.error(`This bench needs Debian packages: apt-get install ${missing.join(' ')} ffmpeg`);
  process.exit(1);
}

/** The sound files of `name` that match, in the order of their names. */
export function soundFiles(name: SoundPackage, pattern: RegExp): string[] {
  return readdirSync(SOURCES[name], { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => join(SOURCES[name], file));
}

/** Prompts that are sentences: long files come first, and equal names in all languages stand for equal words. */
export function longestFiles(files: readonly string[], count: number): string[] {
  const bySize = [...files].sort((a, b) => statSync(b).size - statSync(a).size);
  return bySize.slice(0, count);
}

/** Decodes a file by ffmpeg. A file named `.raw` is s16le at 16 kHz mono. */
export function decode(file: string, sampleRate: number, seconds?: number): Float32Array {
  const raw = file.endsWith('.raw') ? ['-f', 's16le', '-ar', '16000', '-ac', '1'] : [];
  const length = seconds === undefined ? [] : ['-t', String(seconds)];
  const args = [
    '-v',
    'error',
    ...raw,
    '-i',
    file,
    ...length,
    '-f',
    'f32le',
    '-ac',
    '1',
    '-ar',
    String(sampleRate),
    '-',
  ];
  const { stdout, stderr, status } = spawnSync('ffmpeg', args, { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`ffmpeg could not decode ${file}: ${stderr.toString()}`);
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
}

/** All parts behind one another, with `pause` samples of silence after each. */
export function joined(parts: readonly Float32Array[], pause = 0): Float32Array {
  const total = parts.reduce((sum, part) => sum + part.length + pause, 0);
  const out = new Float32Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length + pause;
  }
  return out;
}
