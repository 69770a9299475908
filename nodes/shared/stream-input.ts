/** Reads the messages of one stream as frames, each at its place, whatever the messages leave out. */
import { OrgoError } from '../../src/audio/errors';
import {
  bytesPerSample,
  isPcm,
  isPcmEncoding,
  sameFormat,
  type AudioFormat,
  type Encoding,
  type PcmFormat,
} from '../../src/audio/format';
import { samplesIn, type AudioFrame } from '../../src/audio/frame';
import { SampleClock } from '../../src/audio/sample-clock';
import { SampleJoiner } from '../../src/audio/sample-joiner';
import { OPUS_CLOCK_RATE, packetSamples } from '../../src/opus/packet';
import {
  badProperty,
  descriptionOf,
  finite,
  inWords,
  pcmFormatOf,
  rateAndChannelsOf,
  type AudioDescription,
  type InputSettings,
} from './audio-description';
import type { Message } from './red';
import { WavUnwrapper } from './wav-unwrapper';

/** What a node can take. */
export interface Accepted {
  /** What stands in for `msg.audio`. */
  readonly settings: InputSettings;
  /** A node that takes PCM also takes WAV files of it. */
  readonly encodings: readonly Encoding[];
  /** Tells by its bytes what a payload without `msg.audio` holds; undefined: PCM, as the settings have it. */
  readonly recognise?: ((payload: Buffer) => AudioFormat | undefined) | undefined;
}

/** One message, read. */
export interface Reading {
  /** Of 0 samples and bytes where nothing whole has come. Undefined where no format is known. */
  readonly frame: AudioFrame | undefined;
  /** What came before does not go on with it: another format, another file, or a place that lies before. */
  readonly startsOver: boolean;
  /** A file's sound ends with it. */
  readonly ends: boolean;
}

export class StreamInput {
  private format: AudioFormat | undefined;
  private readonly joiner = new SampleJoiner();
  /** Where the next sample belongs; undefined before the first. */
  private expected: number | undefined;
  private clock: SampleClock | undefined;
  private readonly wav = new WavUnwrapper();
  private readonly takesPcm: boolean;

  constructor(private readonly accepted: Accepted) {
    this.takesPcm = accepted.encodings.some(isPcmEncoding);
  }

  /** Whether the next message may go on with something of the last one. */
  get holds(): boolean {
    return this.joiner.holds || this.wav.inside;
  }

  /**
   * Reads the next message. Where it tells no position, its samples follow those before; where it tells no time, they
   * were captured at an even pace.
   * @param now epoch ms
   * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted; nothing is changed by it
   */
  read(msg: Message, now: number): Reading {
    const { payload } = msg;
    if (!Buffer.isBuffer(payload)) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `msg.payload is ${inWords(payload)}: a Buffer of sound is wanted`,
      );
    }
    const description = descriptionOf(msg);
    const isWav = description ? description['encoding'] === 'wav' : this.wav.takes(payload);
    if (isWav && this.takesPcm) {
      return this.readWav(payload, description, now);
    }
    const format = this.formatOf(payload, description);
    const startsOver = this.begin(format);
    return this.place(format, payload, description, now, { startsOver, ends: false });
  }

  private readWav(payload: Buffer, description: AudioDescription | undefined, now: number): Reading {
    if (!this.wav.takes(payload)) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        'msg.audio.encoding is wav, but msg.payload does not begin as a WAV file',
      );
    }
    const { format, data, begins, ends } = this.wav.unwrap(payload);
    if (!format) return { frame: undefined, startsOver: false, ends: false };
    const startsOver = this.begin(format, begins);
    return this.place(format, data, begins ? description : undefined, now, { startsOver, ends });
  }

  /** Makes ready for `format`; whether what came before does not go on. */
  private begin(format: AudioFormat, anew = false): boolean {
    if (!anew && this.format && sameFormat(this.format, format)) return false;
    const startsOver = this.format !== undefined;
    this.format = format;
    this.restart();
    return startsOver;
  }

  private restart(): void {
    this.joiner.clear();
    this.expected = undefined;
    this.clock = undefined;
  }

  private place(
    format: AudioFormat,
    payload: Buffer,
    description: AudioDescription | undefined,
    now: number,
    borders: { startsOver: boolean; ends: boolean },
  ): Reading {
    const { position, gap, goesBack } = this.placeOf(format, description);
    const { data, samples } = isPcm(format)
      ? this.wholeSamples(format, payload)
      : { data: payload, samples: samplesOf(format, payload, finite(description?.['samples'])) };
    this.expected = position + samples;
    const time = finite(description?.['time']) ?? this.estimate(format, position, samples, now);
    const preSkip = finite(description?.['preSkip']);
    const frame: AudioFrame = {
      ...{ format, data, samples, position, time, gap },
      latencyMs: finite(description?.['latencyMs']) ?? 0,
      ...(preSkip !== undefined && { preSkip }),
    };
    return { frame, startsOver: borders.startsOver || goesBack, ends: borders.ends };
  }

  /** What was left out between two messages of PCM counts as a gap, whether or not the second one tells of it. */
  private placeOf(
    format: AudioFormat,
    description: AudioDescription | undefined,
  ): { position: number; gap: number; goesBack: boolean } {
    const told = finite(description?.['position']);
    const gap = Math.max(0, Math.round(finite(description?.['gap']) ?? 0));
    const { expected } = this;
    const position = told === undefined ? (expected ?? 0) + gap : Math.round(told);
    if (expected === undefined || !isPcm(format)) return { position, gap, goesBack: false };
    const jump = position - expected;
    // A sample that came in two pieces was counted with one of them.
    if (this.joiner.holds && gap === 0 && Math.abs(jump) <= 1) {
      return { position: expected, gap, goesBack: false };
    }
    if (jump !== 0) this.restart();
    return { position, gap: Math.max(jump, 0) || gap, goesBack: jump < 0 };
  }

  private wholeSamples(format: PcmFormat, payload: Buffer): { data: Buffer; samples: number } {
    const data = this.joiner.push(payload, bytesPerSample(format));
    return { data, samples: samplesIn(format, data) };
  }

  private estimate(format: AudioFormat, position: number, samples: number, now: number): number {
    this.clock ??= new SampleClock(format.sampleRate);
    this.clock.observe(position + samples, now);
    return this.clock.timeOf(position);
  }

  private formatOf(payload: Buffer, description: AudioDescription | undefined): AudioFormat {
    const { settings, encodings, recognise } = this.accepted;
    if (description) return this.formatTold(description);
    const continued = this.format && !isPcm(this.format) ? this.format : undefined;
    const format = continued ?? recognise?.(payload) ?? pcmFormatOf(undefined, settings);
    if (encodings.includes(format.encoding)) return format;
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      `msg.audio is missing, and msg.payload does not tell what it is: ${encodings.join(' or ')} is wanted`,
    );
  }

  private formatTold(description: AudioDescription): AudioFormat {
    const { settings, encodings } = this.accepted;
    const { encoding } = description;
    const known = encodings.find((accepted) => accepted === encoding);
    if (known === undefined) {
      const wanted = this.takesPcm ? [...encodings, 'wav'] : encodings;
      throw badProperty('encoding', encoding, wanted.join(' or '));
    }
    if (isPcmEncoding(known)) return pcmFormatOf(description, settings);
    return { encoding: known, ...rateAndChannelsOf(description) };
  }
}

/** Samples in what is no PCM, as told; a packet of Opus tells by itself how long it is. */
function samplesOf(format: AudioFormat, payload: Buffer, told: number | undefined): number {
  if (told !== undefined) return Math.max(0, Math.round(told));
  if (format.encoding !== 'opus') return 0;
  return Math.round((packetSamples(payload) * format.sampleRate) / OPUS_CLOCK_RATE);
}
