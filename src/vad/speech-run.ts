/** One unbroken run of sound: its past, the speech that was found in it, and what the gate lets through. */
import { msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Gate } from './gate';
import { History } from './history';
import type { Judgement } from './listener';
import { Segmenter, type EndReason, type SegmenterEvent, type SpeechSpan } from './segmenter';
import { SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';
import type { Speech, SpeechOutput, SpeechSettings } from './speech';

const WINDOW_MS = msOfSamples(SILERO_SAMPLE_RATE, SILERO_WINDOW);

/** The utterance that is open. */
interface Utterance {
  readonly id: string;
  readonly startPosition: number;
  /** Where the sound of the part that is open begins, and the speech in it. */
  partFrom: number;
  partStart: number;
}

export interface SpeechRunOptions {
  readonly settings: SpeechSettings;
  readonly idPrefix: string;
  /** Delay of the resampler before the network, ms. */
  readonly listenerMs: number;
  /** Position behind the last sample that was sent before this run. */
  readonly sentTo: number;
}

export class SpeechRun {
  private readonly history: History;
  private readonly segmenter: Segmenter;
  /** Undefined where everything passes at once. */
  private readonly gate: Gate | undefined;
  private readonly preRoll: number;
  private readonly hangover: number;
  /** Place of the first window, as {@link Judgement.position}. */
  private heardFrom: number | undefined;
  private utterance: Utterance | undefined;

  /** @param start position of the first sample */
  constructor(
    readonly format: PcmFormat,
    start: number,
    private readonly options: SpeechRunOptions,
  ) {
    const { settings, listenerMs, sentTo } = options;
    const { gate: mode, preRollMs, hangoverMs } = settings;
    this.history = new History(format, start);
    this.segmenter = new Segmenter(settings);
    this.preRoll = samplesInMs(format.sampleRate, preRollMs);
    this.hangover = samplesInMs(format.sampleRate, hangoverMs);
    const judgedLateMs = WINDOW_MS + listenerMs;
    const holdMs = mode === 'silence' ? Math.max(0, preRollMs - judgedLateMs) : 0;
    if (mode !== 'pass') {
      this.gate = new Gate(format, this.history, {
        mode,
        start: sentTo,
        hold: samplesInMs(format.sampleRate, holdMs),
        latencyMs: judgedLateMs + holdMs,
      });
    }
  }

  /** Position behind the last sample that the gate has let through. */
  get sentTo(): number {
    return this.gate?.sentTo ?? this.history.end;
  }

  /** Position behind the last sample that was taken. */
  get end(): number {
    return this.history.end;
  }

  /** Samples that are held. */
  get held(): number {
    return this.history.held;
  }

  /** What is being said, as far as it was heard. */
  get speech(): Speech | undefined {
    const { open } = this.segmenter;
    return open && this.utterance ? this.speechOf(this.utterance, open, false) : undefined;
  }

  /** Takes sound before the windows that it completes are judged. */
  append(frame: PcmFrame): void {
    this.history.append(frame);
  }

  /** Takes the judgement of the next window. */
  judge({ position: heardAt, probability, energy }: Judgement): SpeechOutput[] {
    const out: SpeechOutput[] = [];
    this.heardFrom ??= heardAt;
    const position = this.positionOf(heardAt - this.heardFrom);
    const judgedTo = this.positionOf(heardAt - this.heardFrom + SILERO_WINDOW);
    if (this.options.settings.probabilities) {
      const time = this.history.timeOf(position);
      out.push({ kind: 'event', event: 'probability', position, time, probability });
    }
    const events = this.segmenter.push(probability, energy);
    for (const event of events) out.push(...this.follow(event, judgedTo));
    const { speech } = this;
    if (speech) this.gate?.update(speech);
    if (this.gate) out.push(...this.gate.judged(judgedTo));
    this.forget();
    return out;
  }

  /** Ends the run behind the last sample that was taken. */
  finish(): SpeechOutput[] {
    const out: SpeechOutput[] = [];
    for (const event of this.segmenter.flush()) out.push(...this.follow(event, this.history.end));
    if (this.gate) out.push(...this.gate.release(this.history.end));
    return out;
  }

  private follow(event: SegmenterEvent, judgedTo: number): SpeechOutput[] {
    switch (event.kind) {
      case 'opened':
        return [this.open(event.span)];
      case 'cut':
        return this.utterance ? [this.cut(this.utterance, event.span)] : [];
      case 'closed':
        return this.utterance ? this.close(this.utterance, event.span, event.reason, judgedTo) : [];
    }
  }

  private open(span: SpeechSpan): SpeechOutput {
    const startPosition = this.positionOf(span.start);
    const partFrom = Math.max(this.history.start, startPosition - this.preRoll);
    const id = `${this.options.idPrefix}${startPosition}`;
    this.utterance = { id, startPosition, partFrom, partStart: startPosition };
    const speech = this.speechOf(this.utterance, span, false);
    this.gate?.open(partFrom, speech);
    return {
      kind: 'event',
      event: 'speech-start',
      position: startPosition,
      time: speech.startTime,
      speech,
    };
  }

  private cut(utterance: Utterance, span: SpeechSpan): SpeechOutput {
    const speech = this.speechOf(utterance, span, false, 'max-length');
    const frame = this.history.read(utterance.partFrom, speech.endPosition);
    utterance.partFrom = utterance.partStart = speech.endPosition;
    return { kind: 'utterance', frame, speech };
  }

  private close(utterance: Utterance, span: SpeechSpan, reason: EndReason, judgedTo: number): SpeechOutput[] {
    const speech = this.speechOf(utterance, span, true, reason);
    const end = Math.min(judgedTo, speech.endPosition + this.hangover);
    const frame = this.history.read(utterance.partFrom, end);
    const whole = this.speechOf({ ...utterance, partStart: utterance.startPosition }, span, true, reason);
    this.utterance = undefined;
    this.gate?.close(end, speech);
    const position = speech.endPosition;
    const time = this.history.timeOf(position);
    return [
      { kind: 'event', event: 'speech-end', position, time, speech: whole },
      { kind: 'utterance', frame, speech },
    ];
  }

  private speechOf(utterance: Utterance, span: SpeechSpan, final: boolean, reason?: EndReason): Speech {
    const { id, partStart } = utterance;
    const endPosition = Math.max(partStart, this.positionOf(span.end));
    return {
      id,
      startPosition: partStart,
      endPosition,
      startTime: this.history.timeOf(partStart),
      durationMs: msOfSamples(this.format.sampleRate, endPosition - partStart),
      probability: span.probability,
      part: span.part,
      final,
      ...(reason && { reason }),
    };
  }

  /** The input's position at `samples` of the network's rate since the first window; within what was taken. */
  private positionOf(samples: number): number {
    const { start, end } = this.history;
    const heard = (this.heardFrom ?? 0) + samples;
    const position = Math.round((heard * this.format.sampleRate) / SILERO_SAMPLE_RATE);
    return Math.max(start, Math.min(end, position));
  }

  private forget(): void {
    const forSpeech = Math.min(
      this.utterance?.partFrom ?? Infinity,
      this.positionOf(this.segmenter.earliest) - this.preRoll,
    );
    this.history.forgetBefore(Math.min(forSpeech, this.gate?.neededFrom ?? Infinity));
  }
}
