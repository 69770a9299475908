/** The session of one stream with a service that takes whole utterances. */
import { Frequent } from '../audio/frequent';
import { badInput } from '../audio/errors';
import { bytesPerSample, msOfSamples, samplesInMs } from '../audio/format';
import { emptyAfter, type PcmFrame } from '../audio/frame';
import { silence } from '../audio/samples';
import { DropCount } from './drop-count';
import type { ServiceFailure } from './failure';
import type { Heard } from './heard';
import { Places } from './places';
import type { Transcriber, UtteranceService } from './service';
import { SessionEvents } from './session-events';
import type { Session, SessionOptions, SessionSink, SessionState } from './session';
import type { Slots } from './slots';
import { SoundInput } from './sound-input';
import { UtteranceQueue, type Utterance } from './utterance-queue';
import { locate, wordsEmission } from './words';

const PIECE_MS = 200;
const MINUTE_MS = 60_000;
/** What was asked for is in the words' places until then. */
const PLACES_MS = 600_000;

/** What all streams of a node share. */
export interface Shared {
  readonly transcriber: Transcriber;
  readonly slots: Slots;
}

export class UtteranceSession implements Session {
  state: SessionState = { kind: 'idle' };
  sentMs = 0;
  latencyMs: number | undefined;
  private readonly places: Places;
  private readonly input: SoundInput;
  private readonly queue: UtteranceQueue;
  private readonly drops: DropCount;
  private readonly events: SessionEvents;
  private readonly nonsense: Frequent;
  private readonly endless: Frequent;
  /** The pieces of the utterance that has not ended. */
  private pieces: Buffer[] = [];
  private heldSamples = 0;
  /** Samples that came, at the service's rate. */
  private came = 0;
  private speech: object | undefined;
  private count = 0;
  private isMuted = false;
  private isClosed = false;
  private isKeyTold = false;

  constructor(
    private readonly service: UtteranceService,
    private readonly given: SessionOptions,
    { transcriber, slots }: Shared,
    private readonly sink: SessionSink,
  ) {
    const { clock, options, timeoutMs, maxBufferMs, random, tls, env } = given;
    const { format } = service;
    this.places = new Places(format.sampleRate);
    this.events = new SessionEvents(clock, sink, () => this.stats);
    this.drops = new DropCount(clock, (samples) => this.events.dropped(samples, format.sampleRate));
    this.nonsense = new Frequent(1, MINUTE_MS, clock);
    this.endless = new Frequent(1, MINUTE_MS, clock);
    this.input = new SoundInput({
      ...{ to: format, pieceMs: PIECE_MS, minPieceMs: PIECE_MS, clock },
      take: (piece, from) => {
        this.places.add(this.came, piece, from);
        this.came += piece.samples;
        this.heldSamples += piece.samples;
        this.pieces.push(piece.data);
      },
      onLate: () => undefined,
    });
    this.queue = new UtteranceQueue(
      { transcriber, slots, timeoutMs, maxBufferMs, random, named: options, way: { clock, tls, env } },
      {
        onHeard: (utterance, heard) => this.heard(utterance, heard),
        onGivenUp: (_utterance, failure) => this.givenUp(failure),
        onDropped: ({ start, end }) => this.drops.add(end - start),
        onRetry: (failure, waitMs) => this.retries(failure, waitMs),
        onAnswer: () => this.answered(),
      },
    );
  }

  push(frame: PcmFrame, speech: object | undefined): void {
    if (this.isMuted || this.isClosed) return;
    this.input.push(frame);
    this.events.standing = emptyAfter(frame);
    this.speech = speech;
  }

  /** The sound that came is an utterance. */
  border(): void {
    this.input.flush();
    const sound = Buffer.concat(this.pieces);
    const [samples, speech] = [this.heldSamples, this.speech];
    this.forget();
    if (samples === 0 || this.isClosed) return;
    const { format, minMs = 0 } = this.service;
    const missing = samplesInMs(format.sampleRate, minMs) - samples;
    const lastsMs = msOfSamples(format.sampleRate, samples);
    this.sentMs += lastsMs;
    if (this.state.kind === 'idle') this.show({ kind: 'connecting' });
    this.queue.add({
      sound: missing > 0 ? Buffer.concat([sound, silence(format, missing)]) : sound,
      ...{ lastsMs, start: this.came - samples, end: this.came, speech },
    });
    this.places.forgetBefore(this.came - samplesInMs(format.sampleRate, PLACES_MS));
  }

  /** A message is over that did not end an utterance: keeps within the limit. */
  pause(): void {
    const { format } = this.service;
    const most = samplesInMs(format.sampleRate, this.given.maxBufferMs);
    let dropped = 0;
    while (this.heldSamples > most && this.pieces.length > 1) {
      const samples = (this.pieces.shift()?.length ?? 0) / bytesPerSample(format);
      this.heldSamples -= samples;
      dropped += samples;
    }
    if (dropped === 0) return;
    this.drops.add(dropped);
    if (this.endless.add()) return;
    this.sink.report(
      badInput(
        `${this.given.maxBufferMs / 1000} s of sound came without an end, but ${this.service.name} takes whole utterances. ` +
          'Wire the utterances of orgo-audio-vad (its output 2) here, or choose a service that takes streams',
      ),
    );
  }

  speechEnd(): void {
    // Utterances end with their message.
  }

  async finish(): Promise<void> {
    this.border();
    await this.queue.empty();
  }

  async end(withinMs: number): Promise<void> {
    this.border();
    let cancel = (): void => undefined;
    const timeUp = new Promise<void>((resolve) => {
      cancel = this.given.clock.after(withinMs, resolve);
    });
    await Promise.race([this.queue.empty(), timeUp]);
    cancel();
    this.close();
  }

  connect(): void {
    this.isMuted = false;
    this.isKeyTold = false;
    if (this.state.kind === 'disconnected') this.show({ kind: 'idle' });
    this.queue.hurry();
  }

  disconnect(): void {
    if (this.isMuted) return;
    this.isMuted = true;
    void this.finish().then(() => {
      if (!this.isMuted || this.isClosed) return;
      this.show({ kind: 'disconnected' });
      this.events.disconnected('stopped');
    });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.forget();
    this.input.close();
    this.drops.flush();
    this.events.close();
    this.queue.close();
  }

  ready(): undefined {
    return undefined;
  }

  private get stats(): object {
    const { sentMs, latencyMs } = this;
    return { sentMs, keptMs: this.queue.waitingMs, ...(latencyMs !== undefined && { latencyMs }) };
  }

  private heard(utterance: Utterance, heard: Heard): void {
    const { clock, stream } = this.given;
    const { start, end, speech } = utterance;
    const { sampleRate } = this.service.format;
    const indexAt = (ms: number): number => Math.min(end, start + samplesInMs(sampleRate, Math.max(0, ms)));
    const located = locate(heard, indexAt, 0, this.spokenIn(utterance));
    if (!located) return;
    const emission = wordsEmission(located, this.places, {
      ...{ id: `${stream}:${this.count++}`, final: true, service: this.service.name, speech },
      now: clock.now() + clock.epochOffset(),
      sound: { start, end },
    });
    if (!emission) return;
    this.latencyMs = emission.properties.transcript.latencyMs;
    this.sink.emit(emission);
    this.sink.changed();
  }

  /** Where the detector heard speech in it; else all of it. */
  private spokenIn({ start, end, speech }: Utterance): { start: number; end: number } {
    const indexOf = (position: unknown): number | undefined =>
      typeof position === 'number' ? this.places.indexOf(position, this.came) : undefined;
    const { startPosition, endPosition } = (speech ?? {}) as Record<string, unknown>;
    const [from, to] = [indexOf(startPosition) ?? start, indexOf(endPosition) ?? end];
    return from >= start && to <= end && from < to ? { start: from, end: to } : { start, end };
  }

  private givenUp(failure: ServiceFailure): void {
    this.show({ kind: 'waiting', failure, retryInMs: 0 });
    if (failure.kind !== 'nonsense' || !this.nonsense.add()) this.sink.report(failure);
  }

  private retries(failure: ServiceFailure, retryInMs: number): void {
    const isFirst = this.state.kind !== 'waiting';
    this.show({ kind: 'waiting', failure, retryInMs });
    if (isFirst) this.events.reconnecting(failure, retryInMs);
    if (failure.kind !== 'key' || this.isKeyTold) return;
    this.isKeyTold = true;
    this.sink.report(failure);
  }

  private answered(): void {
    this.isKeyTold = false;
    if (this.state.kind === 'connected') return;
    if (!this.isMuted) this.show({ kind: 'connected' });
    this.events.connected(this.service.name);
  }

  private show(state: SessionState): void {
    this.state = state;
    this.sink.changed();
  }

  private forget(): void {
    this.pieces = [];
    this.heldSamples = 0;
    this.speech = undefined;
  }
}
