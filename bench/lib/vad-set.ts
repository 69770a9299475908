/** The set on which speech detection is judged: clean speech with its truth, and noises to mix into it. */
import { whiteNoise } from '../../test/vad/recordings';
import { decode, joined, longestFiles, soundFiles, type SoundPackage } from './debian-sounds';

/** Desktop sound, as it is captured. */
export const SET_SAMPLE_RATE = 48000;
const WINDOW_SAMPLES = 0.032 * SET_SAMPLE_RATE;
const CLIP_SECONDS = 20;
const PAUSE_SAMPLES = SET_SAMPLE_RATE;
/** Level of speech while someone speaks, and of noise: RMS, −23 dB full scale. */
const LEVEL = 10 ** (-23 / 20);
/**
 * A window of clean speech counts as speech if its level is within this of the loudest window's: 15.9 dB below the
 * active level (ITU-T P.56), which is some 9 dB below the loudest. Below lies the noise of the readers' rooms.
 */
const SPEECH_RANGE_DB = 25;
/** Windows between two with speech that count as speech too: a stop consonant's closure. */
const BRIDGED_WINDOWS = 3;

const LANGUAGES = ['en', 'es', 'fr', 'it', 'ru'] as const;
export const SET_PACKAGES: readonly SoundPackage[] = [
  'pocketsphinx-testdata',
  ...LANGUAGES.map((language) => `asterisk-core-sounds-${language}-g722` as const),
  'frozen-bubble-data',
  'bucklespring-data',
  'oxygen-sounds',
  'sound-theme-freedesktop',
];

export interface SpeechClip {
  readonly name: string;
  readonly samples: Float32Array;
  /** Whether each window of 32 ms holds speech, from the clean signal. */
  readonly truth: readonly boolean[];
}

/** Clean speech: a reader, and prompts in five languages; a second of silence between sentences. */
export function speechClips(): SpeechClip[] {
  const readers = soundFiles('pocketsphinx-testdata', /librivox\/.*\.wav$/);
  return [
    clipOf('readers', readers),
    ...LANGUAGES.map((language) => {
      const files = soundFiles(`asterisk-core-sounds-${language}-g722`, /\.g722$/);
      return clipOf(language, longestFiles(files, 140).slice(120));
    }),
  ];
}

function clipOf(name: string, files: readonly string[]): SpeechClip {
  const sentences = files.map((file) => decode(file, SET_SAMPLE_RATE, 6));
  const all = joined([new Float32Array(PAUSE_SAMPLES), ...sentences], PAUSE_SAMPLES);
  const samples = all.subarray(0, CLIP_SECONDS * SET_SAMPLE_RATE);
  const truth = truthOf(samples);
  const spoken = truth.flatMap((isSpeech, i) => (isSpeech ? [energyOf(samples, i)] : []));
  const level = Math.sqrt(spoken.reduce((sum, energy) => sum + energy, 0) / spoken.length);
  return { name, samples: samples.map((sample) => (sample * LEVEL) / level), truth };
}

/** Mean square of a window. */
function energyOf(samples: Float32Array, window: number): number {
  let energy = 0;
  const end = (window + 1) * WINDOW_SAMPLES;
  for (let i = window * WINDOW_SAMPLES; i < end; i++) energy += (samples[i] ?? 0) ** 2;
  return energy / WINDOW_SAMPLES;
}

function truthOf(samples: Float32Array): boolean[] {
  const count = Math.floor(samples.length / WINDOW_SAMPLES);
  const energies = Array.from({ length: count }, (_, i) => energyOf(samples, i));
  const least = Math.max(...energies) * 10 ** (-SPEECH_RANGE_DB / 10);
  const truth = energies.map((energy) => energy >= least);
  for (let i = 1, last = -Infinity; i < count; i++) {
    if (truth[i - 1]) last = i - 1;
    if (truth[i] && i - last - 1 <= BRIDGED_WINDOWS) truth.fill(true, last + 1, i);
  }
  return truth;
}

/** Noises as long as a clip, all at the same level. */
export function noises(): Record<string, Float32Array> {
  const length = CLIP_SECONDS * SET_SAMPLE_RATE;
  const music = soundFiles('frozen-bubble-data', /(mainzik-.p|introzik)\.ogg$/);
  const desktop = [
    // Those of the test of loudspeakers are spoken.
    ...soundFiles('sound-theme-freedesktop', /^(?!audio-channel).*\.oga$/),
    ...soundFiles('oxygen-sounds', /^Oxygen-.*\.ogg$/),
  ];
  const keys = soundFiles('bucklespring-data', /\.wav$/);
  const third = CLIP_SECONDS / music.length;
  const made: Record<string, Float32Array> = {
    music: joined(music.map((file) => decode(file, SET_SAMPLE_RATE, third))),
    'desktop sounds': strewn(desktop, length, 1.2),
    beeps: beeps(length),
    keyboard: strewn(keys, length, 0.12),
    white: whiteNoise(length, 1),
    pink: pinkNoise(length),
  };
  return Object.fromEntries(Object.entries(made).map(([name, samples]) => [name, levelled(samples, length)]));
}

function levelled(samples: Float32Array, length: number): Float32Array {
  const out = new Float32Array(length);
  out.set(samples.subarray(0, length));
  const level = Math.sqrt(out.reduce((sum, sample) => sum + sample * sample, 0) / length);
  return out.map((sample) => (sample * LEVEL) / level);
}

/** `files` one after another, one every `seconds`, which they may outlast. */
function strewn(files: readonly string[], length: number, seconds: number): Float32Array {
  const out = new Float32Array(length);
  const step = Math.round(seconds * SET_SAMPLE_RATE);
  const sounds = files.slice(0, Math.ceil(length / step)).map((file) => decode(file, SET_SAMPLE_RATE, 3));
  for (let at = 0, i = 0; at < length; at += step, i++) {
    const sound = sounds[i % sounds.length] ?? out;
    const end = Math.min(sound.length, length - at);
    for (let k = 0; k < end; k++) out[at + k] = (out[at + k] ?? 0) + (sound[k] ?? 0);
  }
  return out;
}

/** Half-second tones from 220 Hz up to 3.5 kHz, half a second apart. */
function beeps(length: number): Float32Array {
  const half = SET_SAMPLE_RATE / 2;
  return Float32Array.from({ length }, (_, i) => {
    const frequency = 220 * 2 ** ((Math.floor(i / (2 * half)) % 9) / 2);
    return i % (2 * half) < half ? Math.sin((2 * Math.PI * frequency * i) / SET_SAMPLE_RATE) : 0;
  });
}

/** Falls by 3 dB an octave: a sum of white noises, each renewed half as often as the one before (Voss 1978). */
function pinkNoise(length: number): Float32Array {
  const octaves = 14;
  const fresh = whiteNoise(2 * length, 1, 7);
  const held = new Float32Array(octaves);
  let next = 0;
  return Float32Array.from({ length }, (_, i) => {
    const octave = Math.min(octaves - 1, 31 - Math.clz32((i + 1) & -(i + 1)));
    held[octave] = fresh[next++] ?? 0;
    return held.reduce((sum, value) => sum + value, 0);
  });
}

/** Speech and noise together as s16le, the noise `snrDb` below the speech. */
export function mixed(speech: Float32Array, noise: Float32Array, snrDb: number): Buffer {
  const gain = 10 ** (-snrDb / 20);
  return toS16(speech.map((sample, i) => sample + gain * (noise[i] ?? 0)));
}

export function toS16(samples: Float32Array): Buffer {
  const out = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, i) => {
    out.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), 2 * i);
  });
  return out;
}

/**
 * How likely a window with speech has a higher probability than one without: the area under the ROC curve, by
 * ranks (Mann, Whitney 1947); ties count half.
 */
export function areaUnderCurve(probabilities: readonly number[], truth: readonly boolean[]): number {
  const order = probabilities.map((probability, i) => ({ probability, isSpeech: truth[i] === true }));
  order.sort((a, b) => a.probability - b.probability);
  let rankSum = 0;
  let positives = 0;
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && order[end]?.probability === order[i]?.probability) end++;
    const speech = order.slice(i, end).filter(({ isSpeech }) => isSpeech).length;
    rankSum += speech * ((i + 1 + end) / 2);
    positives += speech;
    i = end;
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
