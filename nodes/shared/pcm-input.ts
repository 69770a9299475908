/** Reads PCM out of messages: described by `msg.audio`, by a WAV header, or by the node's own settings. */
import { OrgoError } from '../../src/audio/errors';
import { bytesPerSample, formatText, sameFormat, type PcmFormat } from '../../src/audio/format';
import { samplesIn, type PcmFrame } from '../../src/audio/frame';
import { SampleJoiner } from '../../src/audio/sample-joiner';
import {
  descriptionOf,
  finite,
  inWords,
  MAX_SAMPLE_RATE,
  MIN_SAMPLE_RATE,
  pcmFormatOf,
  type AudioDescription,
  type InputSettings,
} from './audio-description';
import type { Message } from './red';
import { WavUnwrapper } from './wav-unwrapper';

export interface PcmInput {
  /** `position` is the message's own, or 0 where it gives none. */
  readonly frame: PcmFrame;
  /** Whether `time` came with the message; else it is the time at which it came. */
  readonly timed: boolean;
}

/** Reads one stream of messages; what is no whole sample waits for the next message. */
export class PcmReader {
  private readonly joiner = new SampleJoiner();
  private format: PcmFormat | undefined;
  private readonly wav = new WavUnwrapper();

  constructor(private readonly settings: InputSettings) {}

  /**
   * The sound of `msg`; undefined where it holds no whole sample.
   * @param now epoch ms
   * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted
   */
  read(msg: Message, now: number): PcmInput | undefined {
    const { payload } = msg;
    if (!Buffer.isBuffer(payload)) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `msg.payload is ${inWords(payload)}: a Buffer of PCM, or of a WAV file, is wanted`,
      );
    }
    const description = descriptionOf(msg);
    if (description ? description['encoding'] === 'wav' : this.wav.takes(payload)) {
      return this.readWav(payload, description, now);
    }
    // What is described is no piece of a file that has begun.
    if (description) this.wav.reset();
    return this.place(pcmFormatOf(description, this.settings), payload, description, now);
  }

  private readWav(
    payload: Buffer,
    description: AudioDescription | undefined,
    now: number,
  ): PcmInput | undefined {
    if (!this.wav.takes(payload)) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        'msg.audio.encoding is wav, but msg.payload does not begin as a WAV file',
      );
    }
    const { format, data, begins } = this.wav.unwrap(payload);
    if (!format) return undefined;
    if (format.sampleRate < MIN_SAMPLE_RATE || format.sampleRate > MAX_SAMPLE_RATE) {
      this.wav.reset();
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The WAV file is ${formatText(format)}: ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz are wanted`,
      );
    }
    if (begins) this.joiner.clear();
    return this.place(format, data, begins ? description : undefined, now);
  }

  private place(
    format: PcmFormat,
    payload: Buffer,
    description: AudioDescription | undefined,
    now: number,
  ): PcmInput | undefined {
    if (!this.format || !sameFormat(format, this.format)) this.joiner.clear();
    this.format = format;
    const data = this.joiner.push(payload, bytesPerSample(format));
    const samples = samplesIn(format, data);
    if (samples === 0) return undefined;
    const time = finite(description?.['time']);
    const frame: PcmFrame = {
      ...{ format, data, samples },
      position: finite(description?.['position']) ?? 0,
      time: time ?? now,
      gap: Math.max(0, Math.round(finite(description?.['gap']) ?? 0)),
      latencyMs: finite(description?.['latencyMs']) ?? 0,
    };
    return { frame, timed: time !== undefined };
  }
}
