/** The session of one stream with a streaming service: keeps its sound until it has words, and connects as long as it takes. */
import { Frequent } from '../audio/frequent';
import { msOfSamples } from '../audio/format';
import { emptyAfter, type PcmFrame } from '../audio/frame';
import { networkError } from '../network/network-error';
import { Deadline } from './deadline';
import { DropCount } from './drop-count';
import { ServiceFailure } from './failure';
import { KeptSound } from './kept-sound';
import { LastWords, type LastWordsHost } from './last-words';
import { Retry } from './retry';
import type { StreamService } from './service';
import { ServiceConnection } from './service-connection';
import { SessionEvents } from './session-events';
import type { Session, SessionOptions, SessionSink, SessionState } from './session';
import { SoundInput } from './sound-input';
import { SpeechMarks } from './speech-marks';
import { ToldWords } from './told-words';
import { Waiting } from './waiting';

/** Without sound for so long, and with nothing to send, a connection that ends is not missed. */
const QUIET_MS = 5000;
const MINUTE_MS = 60_000;
/** Longer frames are recordings: their sender waits while there is no room. */
const LONGEST_LIVE_MS = 999;

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'open'; readonly connection: ServiceConnection }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'closed' };

export class StreamSession implements Session {
  state: SessionState = { kind: 'idle' };
  private phase: Phase = { kind: 'idle' };
  private readonly sound: KeptSound;
  private readonly input: SoundInput;
  private readonly words: ToldWords;
  private readonly marks = new SpeechMarks();
  private readonly retry: Retry;
  private readonly events: SessionEvents;
  private readonly nonsense: Frequent;
  private readonly turnLimit: Deadline;
  private readonly lastWords: LastWords;
  private readonly drops: DropCount;
  private heardAt = 0;
  private lastFrameMs = 0;
  private isMuted = false;
  private readonly room = new Waiting(
    () => this.phase.kind === 'closed' || this.isMuted || this.sound.hasRoom(this.connection?.next ?? 0),
  );

  constructor(
    private readonly service: StreamService,
    private readonly given: SessionOptions,
    private readonly sink: SessionSink,
  ) {
    const { clock, random, stream, timeoutMs, maxBufferMs } = given;
    const { format, pieceMs, minPieceMs = 0 } = service.audio;
    this.events = new SessionEvents(clock, sink, () => this.stats);
    this.drops = new DropCount(clock, (samples) => this.events.dropped(samples, format.sampleRate));
    this.sound = new KeptSound(format, maxBufferMs, (samples) => this.drops.add(samples));
    this.lastWords = new LastWords(this.lastWordsHost());
    this.retry = new Retry(clock, random);
    this.nonsense = new Frequent(1, MINUTE_MS, clock);
    this.turnLimit = new Deadline(clock, timeoutMs, () => this.turnUnanswered());
    this.input = new SoundInput({
      ...{ to: format, pieceMs, minPieceMs, clock },
      take: (piece, from) => this.sound.add(piece, from),
      onLate: () => this.came(),
    });
    this.words = new ToldWords({
      ...{ stream, service: service.name, clock, places: this.sound.places },
      speechAt: (index) => this.marks.speechAt(index),
      emit: (emission) => sink.emit(emission),
      onSettled: (index) => this.settle(index),
    });
  }

  get sentMs(): number {
    return this.sound.sentMs;
  }

  get latencyMs(): number | undefined {
    return this.words.latencyMs;
  }

  push(frame: PcmFrame, speech: object | undefined): void {
    if (this.isMuted || this.phase.kind === 'closed') return;
    const from = this.sound.log.end;
    this.input.push(frame);
    this.heardAt = this.given.clock.now();
    this.events.standing = emptyAfter(frame);
    this.lastFrameMs = msOfSamples(frame.format.sampleRate, frame.samples);
    if (speech) this.marks.addSpeech(from, speech);
    this.came();
  }

  border(): void {
    this.input.flush();
    this.marks.endTurn(this.sound.log.end);
    this.came();
  }

  pause(): void {
    // Sound is sent as it comes.
  }

  speechEnd(position: number): void {
    if (this.given.options.commit !== 'speech') return;
    this.marks.addEnd(position);
    // What waits for the rest of its piece belongs to the turn, too.
    if (position <= (this.events.standing?.position ?? -1)) this.input.flush();
    this.came();
  }

  finish(): Promise<void> {
    return this.lastWords.ask(false, this.given.timeoutMs);
  }

  async end(withinMs: number): Promise<void> {
    await this.lastWords.ask(true, withinMs);
    this.close();
  }

  connect(): void {
    this.isMuted = false;
    this.retry.reset();
    if (this.phase.kind === 'disconnected') this.show({ kind: 'idle' }, { kind: 'idle' });
    if (this.phase.kind !== 'waiting') return;
    this.phase.cancel();
    this.open();
  }

  disconnect(): void {
    if (this.isMuted) return;
    this.isMuted = true;
    void this.lastWords.ask(true, this.given.timeoutMs).then(() => {
      if (this.isMuted && this.phase.kind === 'idle') this.rest('stopped');
    });
  }

  close(): void {
    if (this.phase.kind === 'closed') return;
    this.leave();
    this.phase = { kind: 'closed' };
    this.input.close();
    this.drops.flush();
    this.events.close();
    this.lastWords.reached();
    this.room.look();
  }

  ready(): Promise<void> | undefined {
    return this.lastFrameMs <= LONGEST_LIVE_MS ? undefined : this.room.wait();
  }

  private get connection(): ServiceConnection | undefined {
    return this.phase.kind === 'open' ? this.phase.connection : undefined;
  }

  private get stats(): object {
    const { sentMs, latencyMs } = this;
    return { sentMs, keptMs: this.sound.keptMs, ...(latencyMs !== undefined && { latencyMs }) };
  }

  /** Sound or the end of a turn came: keeps within the limit, and sends it. */
  private came(): void {
    const { sound, marks, connection } = this;
    sound.limit(connection?.next ?? sound.from);
    for (const index of marks.due(sound.places, sound.log.end)) connection?.commitAt(index);
    if (this.phase.kind === 'idle' && sound.isOpen) this.open();
    else connection?.pump();
  }

  private open(): void {
    const { service, sound, given } = this;
    const { options, timeoutMs, tls, env, clock } = given;
    this.words.begin();
    const { log, from } = sound;
    try {
      const connection: ServiceConnection = new ServiceConnection(
        { service, options, timeoutMs, tls, env, clock, log, from, commits: this.marks.after(from) },
        {
          onReady: () => this.opened(),
          onSent: (index) => this.sent(index),
          onInterim: (heard, indexAt, turn) => {
            if (options.interim) this.words.interim(heard, indexAt, connection.next, turn);
          },
          onFinal: (heard, indexAt, turn) => this.words.final(heard, indexAt, connection.next, turn),
          onTurn: (name, span, indexAt) => {
            this.words.turn(name, span, indexAt);
            this.turnLimit.start();
          },
          onSettled: (index) => this.settle(index),
          onCommitted: () => this.lastWords.committed(),
          onNonsense: (failure) => {
            if (!this.nonsense.add()) this.sink.report(failure);
          },
          onEnd: (failure) => this.ended(connection.next, failure),
        },
      );
      this.show({ kind: 'open', connection }, { kind: 'connecting' });
    } catch (thrown) {
      // A certificate that can't be read throws here, and so does a bad address of a proxy.
      const { url, apiKey } = options;
      const { message } = networkError('ORGO_SERVICE_FAILED', url, thrown, [apiKey]);
      this.ended(from, new ServiceFailure('failed', message));
    }
  }

  private opened(): void {
    this.retry.ready();
    this.show(this.phase, { kind: 'connected' });
    this.events.connected(this.service.name);
    this.connection?.pump();
  }

  /** All before `index` was sent. */
  private sent(index: number): void {
    this.sound.sent(index);
    this.room.look();
    this.lastWords.pursue();
  }

  private settle(index: number): void {
    const { sound, marks, words, turnLimit } = this;
    sound.settle(index);
    marks.forgetBefore(sound.settled);
    this.connection?.forgetBefore(sound.settled);
    turnLimit.stop();
    if (words.isWaiting) turnLimit.start();
    this.sink.changed();
  }

  /** @param next index after what the connection was sent */
  private ended(next: number, failure: ServiceFailure | undefined): void {
    const { sound } = this;
    this.turnLimit.stop();
    if (failure) sound.interrupted();
    else this.settle(next);
    const isMissed = sound.isOpen || (!this.isMuted && this.given.clock.now() - this.heardAt < QUIET_MS);
    if (!failure || !isMissed || (this.lastWords.isWanted && !sound.isOpen)) {
      this.rest(failure?.message ?? 'finished');
      this.lastWords.reached();
      this.came();
      return;
    }
    const { waitMs, isNews } = this.retry.failed(failure);
    this.lastWords.interrupted();
    const cancel = this.given.clock.after(waitMs, () => this.open());
    this.show({ kind: 'waiting', cancel }, { kind: 'waiting', failure, retryInMs: waitMs });
    this.events.reconnecting(failure, waitMs);
    if (isNews) this.sink.report(failure);
  }

  /** There is no connection, and none is wanted before sound comes, or a message asks for it. */
  private rest(reason: string): void {
    const kind = this.isMuted ? 'disconnected' : 'idle';
    this.show({ kind }, { kind });
    this.events.disconnected(reason);
  }

  /** Drops the connection, or the wait for one. */
  private leave(): void {
    this.connection?.close();
    if (this.phase.kind === 'waiting') this.phase.cancel();
    this.turnLimit.stop();
  }

  private show(phase: Phase, state: SessionState): void {
    this.phase = phase;
    this.state = state;
    this.sink.changed();
  }

  private lastWordsHost(): LastWordsHost {
    return {
      clock: this.given.clock,
      connection: () => this.connection,
      isOpen: () => this.sound.isOpen || this.words.isWaiting,
      begin: () => {
        if (this.phase.kind === 'closed') return false;
        this.input.flush();
        this.came();
        return this.phase.kind === 'open' || this.phase.kind === 'waiting';
      },
      giveUp: () => {
        this.leave();
        this.sound.giveUp();
        this.rest('no answer');
      },
    };
  }

  private turnUnanswered(): void {
    this.connection?.fail('failed', `no words came for a turn within ${this.given.timeoutMs / 1000} s`);
  }
}
