/** One unbroken run of sound: its past, the speech that was found in it, and what the gate lets through. */
import { msOfSamples, samplesInMs, type PcmEncoding, type PcmFormat } from '../audio/format';
import { sliceFrame, type AudioFrame, type PcmFrame } from '../audio/frame';
import type { Transform } from '../audio/transform';
import { positionAtRate } from '../audio/place';
import { Gate } from './gate';
import { History } from './history';
import { Segmenter, type SegmenterEvent, type SpeechSpan } from './segmenter';
import { SILERO_SAMPLE_RATE, SILERO_WINDOW } from './silero';
import type {
  Speech,
  SpeechChange,
  SpeechEmission,
  SpeechSettings,
  Utterance,
  UtteranceEndReason,
} from './speech';
import type { WindowClassifier, WindowScore } from './window-classifier';

const WINDOW_MS = msOfSamples(SILERO_SAMPLE_RATE, SILERO_WINDOW);

/** The utterance that is open. */
interface OpenUtterance {
  readonly id: string;
  readonly startPosition: number;
  /** Where the sound of the part that is open begins, and the speech in it. */
  partFrom: number;
  partStart: number;
}

export interface SpeechRunOptions {
  readonly settings: SpeechSettings;
  readonly idPrefix: string;
  /** Makes of an utterance what is emitted. */
  readonly packUtterance: (utterance: PcmFrame) => AudioFrame;
  /** Scores the windows of one run after the other. */
  readonly classifier: WindowClassifier;
  /** Position after the last sample that was sent before this run. */
  readonly sentTo: number;
  /** Called when speech begins or is over. */
  readonly onChange: () => void;
}

/** A longer frame is processed in slices, so that little of it is held at a time. */
const SLICE_MS = 1000;

export class SpeechRun implements Transform<PcmEncoding, SpeechEmission> {
  private readonly history: History;
  private readonly segmenter: Segmenter;
  /** Undefined before the first sample, and where everything passes at once. */
  private gate: Gate | undefined;
  private readonly preRoll: number;
  private readonly hangover: number;
  /** Position of the first window, as {@link WindowScore.position}. */
  private scoredFrom: number | undefined;
  private utterance: OpenUtterance | undefined;

  /** @param start position of the first sample */
  constructor(
    readonly format: PcmFormat,
    start: number,
    private readonly options: SpeechRunOptions,
  ) {
    const { preRollMs, hangoverMs } = options.settings;
    this.history = new History(format, start);
    this.segmenter = new Segmenter(options.settings);
    this.preRoll = samplesInMs(format.sampleRate, preRollMs);
    this.hangover = samplesInMs(format.sampleRate, hangoverMs);
  }

  /** Position after the last sample that the gate has let through. */
  get sentTo(): number {
    return this.gate?.sentTo ?? this.history.end;
  }

  /** Samples that are held. */
  get held(): number {
    return this.history.held;
  }

  /** Whether someone speaks. */
  get speaking(): boolean {
    return this.utterance !== undefined;
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` for sound that can not be taken */
  push(frame: PcmFrame): SpeechEmission[] {
    const out: SpeechEmission[] = [];
    const slice = samplesInMs(frame.format.sampleRate, SLICE_MS);
    for (let at = 0; at < frame.samples; at += slice) {
      this.take(sliceFrame(frame, at, Math.min(frame.samples, at + slice)), out);
    }
    if (this.options.settings.gate === 'pass') {
      const { speech } = this;
      out.push({ output: 'audio', frame, properties: speech && { speech } });
    }
    return out;
  }

  /** Ends the run after the last sample that was taken. */
  flush(): SpeechEmission[] {
    const out: SpeechEmission[] = [];
    for (const score of this.options.classifier.flush()) this.follow(score, out);
    for (const event of this.segmenter.flush()) out.push(...this.segment(event, this.history.end));
    if (this.gate) out.push(...this.gate.release(this.history.end));
    return out;
  }

  close(): void {
    this.options.classifier.close();
    this.change(undefined);
  }

  private take(frame: PcmFrame, out: SpeechEmission[]): void {
    const { classifier } = this.options;
    const scores = classifier.push(frame);
    this.gate ??= this.createGate(classifier.delayMs);
    this.history.append(frame);
    for (const score of scores) this.follow(score, out);
  }

  /** @param resamplerMs delay of the resampler before the network */
  private createGate(resamplerMs: number): Gate | undefined {
    const { settings, sentTo } = this.options;
    const { gate: mode, preRollMs } = settings;
    if (mode === 'pass') return undefined;
    const scoredLateMs = WINDOW_MS + resamplerMs;
    const holdMs = mode === 'silence' ? Math.max(0, preRollMs - scoredLateMs) : 0;
    return new Gate(this.format, this.history, {
      mode,
      start: sentTo,
      hold: samplesInMs(this.format.sampleRate, holdMs),
      latencyMs: scoredLateMs + holdMs,
    });
  }

  /** What is being said, as far as it was heard. */
  private get speech(): Speech | undefined {
    const { open } = this.segmenter;
    return open && this.utterance ? this.speechOf(this.utterance, open, false) : undefined;
  }

  /** Takes the score of the next window. */
  private follow({ position: scoredAt, probability, energy }: WindowScore, out: SpeechEmission[]): void {
    this.scoredFrom ??= scoredAt;
    const position = this.positionOf(scoredAt - this.scoredFrom);
    const scoredTo = this.positionOf(scoredAt - this.scoredFrom + SILERO_WINDOW);
    if (this.options.settings.probabilities) {
      const frame = this.history.at(position);
      out.push({ output: 'event', frame, event: { event: 'probability', probability } });
    }
    const events = this.segmenter.push(probability, energy);
    for (const event of events) out.push(...this.segment(event, scoredTo));
    const { speech } = this;
    if (speech) this.gate?.update(speech);
    if (this.gate) out.push(...this.gate.scored(scoredTo));
    this.forget();
  }

  private segment(event: SegmenterEvent, scoredTo: number): SpeechEmission[] {
    switch (event.kind) {
      case 'opened':
        return [this.open(event.span)];
      case 'cut':
        return this.utterance ? [this.cut(this.utterance, event.span)] : [];
      case 'closed':
        return this.utterance ? this.finish(this.utterance, event.span, event.reason, scoredTo) : [];
    }
  }

  private open(span: SpeechSpan): SpeechChange {
    const startPosition = this.positionOf(span.start);
    const partFrom = Math.max(this.history.start, startPosition - this.preRoll);
    const id = `${this.options.idPrefix}${startPosition}`;
    const utterance = { id, startPosition, partFrom, partStart: startPosition };
    this.change(utterance);
    const speech = this.speechOf(utterance, span, false);
    this.gate?.open(partFrom, speech);
    return this.changeOf('speech-start', startPosition, speech);
  }

  private cut(utterance: OpenUtterance, span: SpeechSpan): Utterance {
    const speech = this.speechOf(utterance, span, false, 'max-length');
    const frame = this.options.packUtterance(this.history.read(utterance.partFrom, speech.endPosition));
    utterance.partFrom = utterance.partStart = speech.endPosition;
    return { output: 'utterance', frame, properties: { speech } };
  }

  private finish(
    utterance: OpenUtterance,
    span: SpeechSpan,
    reason: UtteranceEndReason,
    scoredTo: number,
  ): SpeechEmission[] {
    const speech = this.speechOf(utterance, span, true, reason);
    const end = Math.min(scoredTo, speech.endPosition + this.hangover);
    const frame = this.options.packUtterance(this.history.read(utterance.partFrom, end));
    const whole = this.speechOf({ ...utterance, partStart: utterance.startPosition }, span, true, reason);
    this.change(undefined);
    this.gate?.close(end, speech);
    return [
      this.changeOf('speech-end', speech.endPosition, whole),
      { output: 'utterance', frame, properties: { speech } },
    ];
  }

  private change(utterance: OpenUtterance | undefined): void {
    const wasSpeaking = this.speaking;
    this.utterance = utterance;
    if (this.speaking !== wasSpeaking) this.options.onChange();
  }

  private changeOf(event: 'speech-start' | 'speech-end', position: number, speech: Speech): SpeechChange {
    const frame = this.history.at(position);
    return { output: 'event', frame, event: { event, ...speech }, properties: { speech } };
  }

  private speechOf(
    utterance: OpenUtterance,
    span: SpeechSpan,
    final: boolean,
    reason?: UtteranceEndReason,
  ): Speech {
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
    const scored = (this.scoredFrom ?? 0) + samples;
    const position = positionAtRate(scored, SILERO_SAMPLE_RATE, this.format.sampleRate);
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
