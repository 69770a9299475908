/** Reads what a server sends over the audio WebSocket: text frames, and PCM with its time. */
import { parseServerMessage, type ClockMessage } from '../src/protocol/messages';
import type { OutputSound } from './sound';

/** s16 counts from −32768: one full scale is this many steps. */
const S16_FULL_SCALE = 32768;
/** Of sound that the server left out, so much at most is filled with silence, ms. */
const MAX_FILL_MS = 1000;

/** What a frame meant, where it was no sound. */
export type WireEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'other' };

/** One connection's reader. */
export class WireReader {
  #format: { readonly sampleRate: number; readonly channels: number } | undefined;
  #clock: ClockMessage | undefined;
  /** Capture time of the next sample, epoch ms, where the server tells it. */
  #nextTime: number | undefined;

  /** Takes a text frame. */
  readText(text: string): WireEvent {
    const message = parseServerMessage(text);
    switch (message?.type) {
      case 'started':
        this.#format = { sampleRate: message.sample_rate, channels: message.channels };
        return { kind: 'started' };
      case 'error':
        return { kind: 'error', message: message.message };
      case 'clock':
        this.#clock = message;
        return { kind: 'other' };
      case 'pong':
      case undefined:
        return { kind: 'other' };
    }
  }

  /**
   * Takes a binary frame that arrives at `now`, epoch ms. Sound that the server left out before it comes first, as
   * silence. Bytes before `started`, and half a sample, are no sound.
   */
  readBinary(data: ArrayBuffer, now: number): OutputSound[] {
    const [format, clock] = [this.#format, this.#clock];
    if (!format) return [];
    this.#clock = undefined;
    const samples = pcmOf(data, format.channels);
    const durationMs = (samples.length * 1000) / format.channels / format.sampleRate;
    const time = clock?.time ?? this.#nextTime;
    this.#nextTime = time === undefined ? undefined : time + durationMs;
    const sound = { ...format, samples, time: time ?? now };
    const missing = Math.min(clock?.dropped ?? 0, Math.round((MAX_FILL_MS * format.sampleRate) / 1000));
    if (missing === 0) return [sound];
    const silent = new Float32Array(missing * format.channels);
    return [{ ...sound, samples: silent, time: sound.time - (missing * 1000) / format.sampleRate }, sound];
  }
}

/** s16le as floats in ±1: whole samples of all channels. */
function pcmOf(data: ArrayBuffer, channels: number): Float32Array {
  const view = new DataView(data);
  const count = Math.floor(data.byteLength / 2 / channels) * channels;
  const samples = new Float32Array(count);
  for (let i = 0; i < count; i++) samples[i] = view.getInt16(i * 2, true) / S16_FULL_SCALE;
  return samples;
}
