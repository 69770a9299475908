/** Reads PCM out of messages: described by `msg.audio`, by a WAV header, or by the node's own settings. */
import { OrgoError } from '../../src/audio/errors';
import { bytesPerSample, sameFormat, type PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { descriptionOf, finite, inWords, pcmFormatOf, type InputSettings } from './audio-description';
import type { Message } from './red';

export interface PcmInput {
  /** `position` is the message's own, or 0 where it gives none. */
  readonly frame: PcmFrame;
  /** Whether `time` came with the message; else it is the time at which it came. */
  readonly timed: boolean;
}

/** Reads one stream of messages; what is no whole sample waits for the next message. */
export class PcmReader {
  private rest: Buffer = Buffer.alloc(0);
  private format: PcmFormat | undefined;

  constructor(private readonly settings: InputSettings) {}

  /**
   * The sound of `msg`; of 0 samples where it holds none.
   * @param now epoch ms
   * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted
   */
  read(msg: Message, now: number): PcmInput {
    const { payload } = msg;
    if (!Buffer.isBuffer(payload)) {
      throw new OrgoError('ORGO_BAD_INPUT', `msg.payload is ${inWords(payload)}: a Buffer of PCM is wanted`);
    }
    const description = descriptionOf(msg);
    const format = pcmFormatOf(description, this.settings);
    if (!this.format || !sameFormat(format, this.format)) this.rest = Buffer.alloc(0);
    this.format = format;
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, payload]) : payload;
    const size = bytesPerSample(format);
    const samples = Math.floor(data.length / size);
    this.rest = Buffer.from(data.subarray(samples * size));
    const time = finite(description?.['time']);
    return {
      timed: time !== undefined,
      frame: {
        format,
        data: data.subarray(0, samples * size),
        samples,
        position: finite(description?.['position']) ?? 0,
        time: time ?? now,
        gap: Math.max(0, Math.round(finite(description?.['gap']) ?? 0)),
        latencyMs: finite(description?.['latencyMs']) ?? 0,
      },
    };
  }
}
