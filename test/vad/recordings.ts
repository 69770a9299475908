/** Human speech from Debian's pocketsphinx-testdata, and noise made here; all at 16 kHz mono. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HUMAN_SPEECH } from '../support/needs';

const WAV_HEADER_BYTES = 44;
const CARDS = ['001', '002', '003', '004', '005'].map((name) => `cards/${name}.wav`);
const NOVEL = ['0870', '0880', '0890', '0920', '0930'].map(
  (name) => `librivox/sense_and_sensibility_01_austen_64kb-${name}.wav`,
);
const COMMANDS = ['goforward.raw', 'something.raw', 'numbers.raw'];

/** One of the recordings as s16le. */
export function recording(name: string): Buffer {
  const bytes = readFileSync(join(HUMAN_SPEECH, name));
  return name.endsWith('.wav') ? bytes.subarray(WAV_HEADER_BYTES) : bytes;
}

/** About 40 s: card games, a novel read aloud, spoken commands. */
export function allRecordings(): Buffer {
  return Buffer.concat([...CARDS, ...NOVEL, ...COMMANDS].map(recording));
}

/** Samples in ±1. */
export function floatsOf(s16le: Buffer): Float32Array {
  return Float32Array.from({ length: s16le.length >> 1 }, (_, i) => s16le.readInt16LE(2 * i) / 32768);
}

/** Evenly distributed in ±`peak`, the same in every run (the generator of Park and Miller, 1988). */
export function whiteNoise(samples: number, peak: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: samples }, () => {
    state = (state * 48271) % 2147483647;
    return peak * ((2 * state) / 2147483647 - 1);
  });
}
