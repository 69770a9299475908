/** Finds, to the sample, where a stream turns from silence to sound and back. */
import { bytesPerSample, msOfSamples, samplesInMs, type PcmFormat } from './format';
import type { PcmFrame } from './frame';
import { positionAtRate } from './place';

/** Anything above the dither of a 16-bit source is sound: −80 dBFS. */
const THRESHOLD = 1e-4;
const S16_THRESHOLD = Math.ceil(THRESHOLD * 32768);
/** Sound has stopped when this much silence follows it; the place reported is where it stopped. */
const HOLD_MS = 1000;

export interface SoundChange {
  readonly sound: boolean;
  /** Of the frame in which it was noticed: `position` counts at its rate. */
  readonly format: PcmFormat;
  /** The first sample of sound, or the first of silence after it. */
  readonly position: number;
  /** Its capture time, epoch ms. */
  readonly time: number;
}

export class SoundDetector {
  /** Whether the stream holds sound now. */
  sound = false;
  private format: PcmFormat | undefined;
  /** Place just after the last sample of sound. */
  private end = { position: 0, time: 0 };

  /** Takes the next frame; at most one change is reported per frame. */
  push(frame: PcmFrame): SoundChange | undefined {
    const loud = loudRange(frame);
    const { format } = frame;
    const { sampleRate } = format;
    if (this.format && this.format.sampleRate !== sampleRate) {
      this.end.position = positionAtRate(this.end.position, this.format.sampleRate, sampleRate);
    }
    this.format = format;
    const placeOf = (index: number): { position: number; time: number } => ({
      position: frame.position + index,
      time: frame.time + msOfSamples(sampleRate, index),
    });
    if (loud) {
      this.end = placeOf(loud.last + 1);
      if (this.sound) return undefined;
      this.sound = true;
      return { sound: true, format, ...placeOf(loud.first) };
    }
    const silentSamples = frame.position + frame.samples - this.end.position;
    if (!this.sound || silentSamples < samplesInMs(sampleRate, HOLD_MS)) return undefined;
    this.sound = false;
    return { sound: false, format, ...this.end };
  }

  /** The stream ends here: if it was in sound, the sound stopped after its last loud sample. */
  finish(): SoundChange | undefined {
    if (!this.sound || !this.format) return undefined;
    this.sound = false;
    return { sound: false, format: this.format, ...this.end };
  }
}

/** Indices, per channel, of the first and last sample above the threshold. */
function loudRange(frame: PcmFrame): { first: number; last: number } | undefined {
  const { data, format } = frame;
  const size = bytesPerSample(format) / format.channels;
  const count = Math.floor(data.length / size);
  let first = 0;
  while (first < count && !isLoud(frame, first * size)) first++;
  if (first === count) return undefined;
  let last = count - 1;
  while (!isLoud(frame, last * size)) last--;
  return { first: Math.floor(first / format.channels), last: Math.floor(last / format.channels) };
}

function isLoud({ data, format }: PcmFrame, offset: number): boolean {
  return format.encoding === 's16le'
    ? Math.abs(data.readInt16LE(offset)) >= S16_THRESHOLD
    : Math.abs(data.readFloatLE(offset)) >= THRESHOLD;
}
