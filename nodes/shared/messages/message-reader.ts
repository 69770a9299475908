/** Reads the messages of one stream as frames, each at its place, whatever the messages leave out. */
import type { Clock } from '../../../src/audio/clock';
import { badInput } from '../../../src/audio/errors';
import {
  bytesPerSample,
  formatText,
  isPcm,
  isPcmEncoding,
  sameFormat,
  type AudioFormat,
  type Encoding,
} from '../../../src/audio/format';
import { samplesIn, type AudioFrame } from '../../../src/audio/frame';
import { SampleClock } from '../../../src/audio/sample-clock';
import { SampleJoiner } from '../../../src/audio/sample-joiner';
import { ENCODINGS, recogniseEncoding } from '../../../src/containers/encodings';
import {
  badProperty,
  descriptionOf,
  inWords,
  isSampleRate,
  MAX_SAMPLE_RATE,
  MIN_SAMPLE_RATE,
  pcmFormatOf,
  rateAndChannelsOf,
  streamNameOf,
  type AudioDescription,
  type InputSettings,
} from '../audio-description';
import type { Message } from '../red';
import { MAX_POSITION, mostSamples, numbersOf, type DescribedNumbers } from './numbers';
import { WavUnwrapper } from '../../../src/containers/wav-reader';

/** What a node can take. */
export interface Accepted {
  /** What stands in for `msg.audio`. */
  readonly settings: InputSettings;
  /** A node that takes PCM also takes WAV files of it; one that takes `file`, any bytes, whatever is said of them. */
  readonly encodings: readonly Encoding[];
  /** Each message is a whole file: a stream of its own, which ends with it. */
  readonly wholeFiles?: boolean;
}

/** One message, read. */
export interface Reading {
  /** Of 0 samples and bytes where nothing whole has come. Undefined where no format is known. */
  readonly frame: AudioFrame | undefined;
  /** Whether the frame's `time` came with the message; else it is estimated. */
  readonly timed: boolean;
  /** The frame does not continue what came before: another format, file or stream, or a place elsewhere. */
  readonly startsOver: boolean;
  /** A file's sound ends with it. */
  readonly ends: boolean;
}

/** The clock of all that is recognised by its bytes, Hz. */
const RECOGNISED_RATE = 48000;
const NOTHING: Reading = { frame: undefined, timed: false, startsOver: false, ends: false };
const NO_NUMBERS = numbersOf(undefined);

export class MessageReader {
  private stream: string | undefined;
  private format: AudioFormat | undefined;
  private readonly joiner = new SampleJoiner();
  /** Where the next sample belongs; undefined before the first. */
  private expected: number | undefined;
  /** On the monotonic clock: the wall clock may be set at any time. */
  private sampleClock: SampleClock | undefined;
  private readonly wav = new WavUnwrapper();
  private readonly takesPcm: boolean;

  constructor(
    private readonly accepted: Accepted,
    private readonly clock: Clock,
  ) {
    this.takesPcm = accepted.encodings.some(isPcmEncoding);
  }

  /** Whether the next message may go on with something of the last one. */
  get holds(): boolean {
    return this.joiner.holds || this.wav.inside;
  }

  /**
   * Reads the next message. Where it gives no position, its samples follow those before; where it gives no time,
   * they were captured at an even pace.
   * @throws OrgoError `ORGO_BAD_INPUT` naming what came and what is wanted; nothing is changed by it
   */
  read(msg: Message): Reading {
    const { payload } = msg;
    if (!Buffer.isBuffer(payload)) {
      throw badInput(`msg.payload is ${inWords(payload)}: a Buffer of sound is wanted`);
    }
    const description = descriptionOf(msg);
    const numbers = numbersOf(description);
    const stream = streamNameOf(msg);
    const isOther = (this.format !== undefined || this.wav.inside) && stream !== this.stream;
    if (isOther) this.wav.reset();
    const sound = this.soundOf(payload, description, numbers);
    this.stream = stream;
    if (!sound) return NOTHING;
    const startsOver = this.begin(sound.format, sound.begins || isOther);
    return this.place(sound, startsOver);
  }

  private soundOf(
    payload: Buffer,
    description: AudioDescription | undefined,
    numbers: DescribedNumbers,
  ): Sound | undefined {
    const isWav = description ? description['encoding'] === 'wav' : this.wav.takes(payload);
    if (isWav && this.takesPcm) return this.unwrap(payload, numbers);
    const format = this.formatOf(payload, description);
    // What is described is no piece of a file that has begun.
    if (description) this.wav.reset();
    return { format, data: payload, numbers, begins: false, ends: false };
  }

  private unwrap(payload: Buffer, numbers: DescribedNumbers): Sound | undefined {
    if (!this.wav.takes(payload)) {
      throw badInput('msg.audio.encoding is wav, but msg.payload does not begin as a WAV file');
    }
    const { format, data, begins, ends } = this.wav.unwrap(payload);
    if (!format) return undefined;
    if (!isSampleRate(format.sampleRate)) {
      this.wav.reset();
      throw badInput(
        `The WAV file is ${formatText(format)}: ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE} Hz are wanted`,
      );
    }
    return { format, data, numbers: begins ? numbers : NO_NUMBERS, begins, ends };
  }

  /** Makes ready for `format`; whether what came before does not go on. */
  private begin(format: AudioFormat, anew: boolean): boolean {
    if (!anew && this.format && sameFormat(this.format, format)) return false;
    const startsOver = this.format !== undefined;
    this.format = format;
    this.restart();
    return startsOver;
  }

  private restart(): void {
    this.joiner.clear();
    this.expected = undefined;
    this.sampleClock = undefined;
  }

  private place({ format, data: payload, numbers, ends }: Sound, startsOver: boolean): Reading {
    const { position, gap, isElsewhere } = this.placeOf(format, numbers);
    const data = isPcm(format) ? this.joiner.push(payload, bytesPerSample(format)) : payload;
    const samples = isPcm(format) ? samplesIn(format, data) : samplesOf(format, payload, numbers.samples);
    this.expected = position + samples;
    const { preSkip, latencyMs = 0, time = this.estimate(format, position, samples) } = numbers;
    const frame: AudioFrame = {
      ...{ format, data, samples, position, time, gap, latencyMs },
      ...(format.encoding === 'file' && numbers.time === undefined && { isRecording: true as const }),
      ...(preSkip !== undefined && { preSkip }),
    };
    return { frame, timed: numbers.time !== undefined, startsOver: startsOver || isElsewhere, ends };
  }

  /** What was left out between two messages of PCM counts as a gap, whether or not the second one says so. */
  private placeOf(
    format: AudioFormat,
    numbers: DescribedNumbers,
  ): { position: number; gap: number; isElsewhere: boolean } {
    const { gap = 0 } = numbers;
    const { expected } = this;
    const position = numbers.position ?? (expected ?? 0) + gap;
    if (position > MAX_POSITION)
      throw badProperty('gap', gap, `such that positions stay below ${MAX_POSITION}`);
    if (expected === undefined) return { position, gap, isElsewhere: false };
    const jump = position - expected;
    // A jump this long is another place, not a loss that could be filled.
    const isFar = Math.abs(jump) > mostSamples(format.sampleRate);
    if (isFar) this.restart();
    if (!isPcm(format)) return { position, gap, isElsewhere: isFar };
    // A sample that came in two pieces was counted with one of them.
    if (this.joiner.holds && gap === 0 && Math.abs(jump) <= 1) {
      return { position: expected, gap, isElsewhere: false };
    }
    if (jump !== 0) this.restart();
    return { position, gap: isFar ? gap : Math.max(jump, 0) || gap, isElsewhere: isFar || jump < 0 };
  }

  private estimate(format: AudioFormat, position: number, samples: number): number {
    this.sampleClock ??= new SampleClock(format.sampleRate);
    this.sampleClock.observe(position + samples, this.clock.now());
    return this.sampleClock.timeOf(position) + this.clock.epochOffset();
  }

  private formatOf(payload: Buffer, description: AudioDescription | undefined): AudioFormat {
    const { settings, encodings } = this.accepted;
    if (encodings.includes('file')) return fileFormat(description);
    if (description) return this.describedFormat(description);
    const continued = this.format && !isPcm(this.format) ? this.format : undefined;
    const format = continued ?? this.recognise(payload) ?? pcmFormatOf(undefined, settings);
    if (encodings.includes(format.encoding)) return format;
    throw badInput(
      `msg.audio is missing, and msg.payload alone does not show what it is: ${encodings.join(' or ')} is wanted`,
    );
  }

  /** What a payload is that nothing describes. Where raw samples are taken, they are what the settings say. */
  private recognise(payload: Buffer): AudioFormat | undefined {
    const encoding = this.takesPcm ? undefined : recogniseEncoding(payload, this.accepted.encodings);
    return encoding && { encoding, sampleRate: RECOGNISED_RATE, channels: 2 };
  }

  private describedFormat(description: AudioDescription): AudioFormat {
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

/** The sound that one message brings, before it has its place. */
interface Sound {
  readonly format: AudioFormat;
  readonly data: Buffer;
  readonly numbers: DescribedNumbers;
  /** A file begins with it. */
  readonly begins: boolean;
  readonly ends: boolean;
}

/** What `msg.audio` says of a file may be of something else: an HTTP answer keeps that of what was sent. Only its rate counts. */
function fileFormat({ sampleRate }: AudioDescription = {}): AudioFormat {
  return {
    encoding: 'file',
    sampleRate: isSampleRate(sampleRate) ? sampleRate : RECOGNISED_RATE,
    channels: 2,
  };
}

/** Samples in what is no PCM, as described, or as the payload itself shows. */
function samplesOf(format: AudioFormat, payload: Buffer, described: number | undefined): number {
  return described ?? ENCODINGS[format.encoding].count(format, payload);
}
