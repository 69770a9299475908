/** Sound files of every kind, made by ffmpeg, and decoders' output gathered. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrgoError } from '../../../src/audio/errors';
import type { PcmFormat } from '../../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../../src/audio/frame';
import { wavHeader } from '../../../src/containers/wav-header';
import { needs } from '../../support/needs';
import { Decoding, type DecodedSound } from '../../../src/convert/decoding';
import { systemDependencies, type Dependencies } from '../../../src/convert/engine';
import type { DecodeOptions } from '../../../src/convert/options';

/** The `skip` option of a test that needs ffmpeg. */
export const skipWithoutFfmpeg = needs('ffmpeg').skip;

export const CD: PcmFormat = { encoding: 's16le', sampleRate: 44100, channels: 2 };

/** Two tones that no codec takes for each other: 440 Hz left, 1 kHz right. s16le */
export function tones(format: PcmFormat, seconds: number): Buffer {
  const { sampleRate, channels } = format;
  const data = Buffer.alloc(Math.round(sampleRate * seconds) * channels * 2);
  for (let i = 0; i * 2 < data.length; i++) {
    const hz = i % channels === 0 ? 440 : 1000;
    const angle = (2 * Math.PI * hz * Math.floor(i / channels)) / sampleRate;
    data.writeInt16LE(Math.round(10000 * Math.sin(angle)), i * 2);
  }
  return data;
}

export function wavFile(format: PcmFormat, data: Buffer): Buffer {
  return Buffer.concat([wavHeader(format, data.length / 2 / format.channels), data]);
}

const WAV_OF_TONES = wavFile(CD, tones(CD, 3));
/** Starting ffmpeg takes a third of a second: what was made once is taken again. */
const madeOfTones = new Map<string, Buffer>();

/** What ffmpeg makes of 3 s of {@link tones}; `name` is the file that it writes. A copy, which may be damaged. */
export function made(
  name: string,
  args: readonly string[],
  input?: Buffer,
  more: readonly string[] = [],
): Buffer {
  if (input) return runFfmpeg(name, args, input, more);
  const key = [name, ...args, ...more].join(' ');
  const file = madeOfTones.get(key) ?? runFfmpeg(name, args, WAV_OF_TONES, more);
  madeOfTones.set(key, file);
  return Buffer.from(file);
}

/** Runs ffmpeg over `input`; `more` names more inputs. */
function runFfmpeg(name: string, args: readonly string[], input: Buffer, more: readonly string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'orgo-convert-'));
  try {
    writeFileSync(join(directory, 'input'), input);
    const run = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', 'input', ...more, ...args, name], {
      cwd: directory,
    });
    if (run.status !== 0) throw new Error(`ffmpeg made no ${name}: ${String(run.stderr)}`);
    return readFileSync(join(directory, name));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export interface Decoded {
  readonly sounds: readonly DecodedSound[];
  readonly error: OrgoError | undefined;
  /** Per channel. */
  readonly samples: number;
  readonly data: Buffer;
  /** Hz and channels of the first frame. */
  readonly shape: string;
}

/** Decodes `file`, whole, or in pieces of `pieceBytes`. */
export async function decode(
  file: Buffer,
  options: DecodeOptions = {},
  pieceBytes?: number,
  dependencies: Dependencies = systemDependencies,
): Promise<Decoded> {
  const sounds: DecodedSound[] = [];
  const isWhole = pieceBytes === undefined;
  const decoding = new Decoding({ isWhole, ...options }, (sound) => void sounds.push(sound), dependencies);
  for (let at = 0; at < file.length; at += pieceBytes ?? file.length)
    await decoding.write(file.subarray(at, at + (pieceBytes ?? file.length)));
  const error = await decoding.finish();
  const format = sounds[0]?.frame.format;
  return {
    sounds,
    error,
    samples: sounds.reduce((sum, { frame }) => sum + frame.samples, 0),
    data: Buffer.concat(sounds.map(({ frame }) => frame.data)),
    shape: format ? `${format.sampleRate}/${format.channels}` : '',
  };
}

/** Where the sound of {@link framesOf} begins: position and epoch ms. */
export const START = 44_100_000;
export const START_TIME = 1_763_842_000_000;

/** `data` as frames of `samples` each, from {@link START} on. */
export function framesOf(format: PcmFormat, data: Buffer, samples: number): PcmFrame[] {
  const size = 2 * format.channels;
  const frames: PcmFrame[] = [];
  for (let at = 0; at < data.length; at += samples * size) {
    const part = data.subarray(at, at + samples * size);
    const since = at / size;
    const time = START_TIME + (since * 1000) / format.sampleRate;
    frames.push({
      format,
      data: part,
      samples: part.length / size,
      position: START + since,
      time,
      gap: 0,
      latencyMs: 3,
    });
  }
  return frames;
}

export function bytesOf(frames: readonly AudioFrame[]): Buffer {
  return Buffer.concat(frames.map(({ data }) => data));
}
