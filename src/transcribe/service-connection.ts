/** One connection to a streaming service: sends what the log holds, and gives the answers their place in it. */
import { samplesInMs } from '../audio/format';
import { silence } from '../audio/samples';
import type { ConnectionOptions, ConnectionSink, IndexAt } from './connection';
import { saidBy, type FailureKind, type ServiceFailure } from './failure';
import type { Heard } from './heard';
import { SentSound } from './sent-sound';
import type { Conversation, Talk, TurnSpan } from './service';
import type { Stretch } from './sound-log';
import { WebSocketLink } from './web-socket-link';

/** More waits in the log, not in the socket: what was dropped there must not be sent. */
const MAX_WAITING_BYTES = 64 * 1024;
/** Where a service bounds the speed, so much may be ahead of it. */
const AHEAD_MS = 500;
/** As much silence keeps a connection open that takes nothing else. */
const SILENCE_MS = 100;

export class ServiceConnection implements Talk {
  /** Index in the log after what was sent. */
  next: number;
  private readonly link: WebSocketLink;
  private readonly conversation: Conversation;
  private readonly sent: SentSound;
  private readonly cancelReady: () => void;
  private cancelKeepAlive: (() => void) | undefined;
  private cancelPace: (() => void) | undefined;
  private phase: 'opening' | 'ready' | 'finishing' | 'ended' = 'opening';
  private readyAt = 0;
  private lastSentAt = 0;
  /** Turns that we ended, and whose words did not come yet. */
  private unanswered = 0;
  /** Where turns are to end, as indices in the log, the earliest first. */
  private readonly commits: number[];

  /** Connects at once. @throws Error as {@link WebSocketLink} does */
  constructor(
    private readonly given: ConnectionOptions,
    private readonly sink: ConnectionSink,
  ) {
    const { service, options, timeoutMs, tls, env, clock, from, commits } = given;
    this.next = from;
    this.commits = [...commits];
    this.sent = new SentSound(service.audio.format.sampleRate);
    this.conversation = service.converse(options, this);
    const { url, headers = {} } = service.request(options);
    const { apiKey } = options;
    this.link = new WebSocketLink(
      { url, headers, apiKey, timeoutMs, tls, env, clock },
      {
        onOpen: () => this.conversation.open(),
        onAnswer: (message) => this.conversation.answer(message),
        onNonsense: (what) => this.nonsense(what),
        onDrain: () => this.pump(),
        closeMeans: (code, reason) => this.conversation.closeMeans?.(code, reason),
        onEnd: (failure) => this.closedByService(failure),
      },
    );
    this.cancelReady = clock.after(timeoutMs, () =>
      this.fail('failed', `it was not ready within ${timeoutMs / 1000} s`),
    );
  }

  /** Sound is taken. */
  get isReady(): boolean {
    return this.phase === 'ready';
  }

  get sentMs(): number {
    return this.sent.sentMs;
  }

  /** Whether it can end a turn without ending itself. */
  get canCommit(): boolean {
    return this.conversation.commit !== undefined;
  }

  /** Whether every turn that we ended has its words. */
  get isAnswered(): boolean {
    return this.unanswered === 0;
  }

  /** Whether all that the log holds was sent, and every turn ended that was to end. */
  get isDone(): boolean {
    return this.phase === 'ready' && this.next >= this.given.log.end && this.commits.length === 0;
  }

  /** Ends the turn in front of `index`, as soon as all before it was sent. */
  commitAt(index: number): void {
    this.commits.push(index);
    this.commits.sort((a, b) => a - b);
    this.pump();
  }

  /** Sends what the log holds, as far as the socket takes it. */
  pump(): void {
    while (this.phase === 'ready' && this.link.waitingBytes <= MAX_WAITING_BYTES && this.isInPace()) {
      const commitAt = this.commits[0] ?? Infinity;
      if (this.next < commitAt) {
        const sound = this.read(commitAt);
        if (!sound) break;
        this.sendSound(sound);
      } else {
        this.commits.shift();
        this.commit();
      }
    }
    if (this.phase === 'ready') this.sink.onSent(this.next);
  }

  private commit(): void {
    if (!this.conversation.commit) return;
    this.unanswered++;
    this.conversation.commit();
  }

  /** Asks for the last words and the end. */
  finish(): void {
    if (this.phase !== 'ready') return;
    this.phase = 'finishing';
    this.conversation.finish();
  }

  /** Closes it; nothing is reported any more. May be called twice. */
  close(): void {
    this.phase = 'ended';
    this.cancelReady();
    this.cancelKeepAlive?.();
    this.cancelPace?.();
    this.link.close();
  }

  /** Forgets where sound before `index` was sent. */
  forgetBefore(index: number): void {
    this.sent.forgetBefore(index);
  }

  send(message: string | object | Buffer): void {
    const isRaw = typeof message === 'string' || Buffer.isBuffer(message);
    this.link.send(isRaw ? message : JSON.stringify(message));
  }

  ready(): void {
    if (this.phase !== 'opening') return;
    this.phase = 'ready';
    this.cancelReady();
    this.readyAt = this.lastSentAt = this.given.clock.now();
    this.watchSilence();
    this.sink.onReady();
  }

  interim(heard: Heard, turn?: string): void {
    if (this.isAlive) this.sink.onInterim(heard, this.indexAt, turn);
  }

  final(heard: Heard, turn?: string): void {
    if (this.isAlive) this.sink.onFinal(heard, this.indexAt, turn);
  }

  turn(name: string, span: TurnSpan): void {
    if (this.isAlive) this.sink.onTurn(name, span, this.indexAt);
  }

  settled(untilMs: number): void {
    if (this.isAlive) this.sink.onSettled(this.indexAt(untilMs));
  }

  committed(): void {
    this.unanswered = Math.max(0, this.unanswered - 1);
    if (this.isAlive) this.sink.onCommitted();
  }

  finished(): void {
    if (this.phase === 'finishing') this.end(undefined);
  }

  fail(kind: FailureKind, said: string): void {
    this.end(saidBy(this.given.options, kind, said));
  }

  nonsense(said: string): void {
    if (this.isAlive) this.sink.onNonsense(saidBy(this.given.options, 'nonsense', said));
  }

  private readonly indexAt: IndexAt = (ms) => this.sent.indexAt(ms);

  private get isAlive(): boolean {
    return this.phase !== 'ended';
  }

  private end(failure: ServiceFailure | undefined): void {
    if (!this.isAlive) return;
    this.close();
    this.sink.onEnd(failure);
  }

  /** A clean close is the end that was asked for, or one that nobody asked for. */
  private closedByService(failure: ServiceFailure | undefined): void {
    const asked = this.phase === 'finishing';
    this.end(failure ?? (asked ? undefined : saidBy(this.given.options, 'failed', 'it ended the session')));
  }

  /** The next piece, joined with what follows where it is shorter than the service takes. */
  private read(limit: number): Stretch | undefined {
    const { log, service } = this.given;
    const least = samplesInMs(log.format.sampleRate, service.audio.minPieceMs ?? 0);
    const first = log.read(this.next, limit);
    if (!first || first.samples >= least) return first;
    const more = log.read(first.index + first.samples, limit);
    if (!more) return first;
    return {
      index: first.index,
      samples: first.samples + more.samples,
      data: Buffer.concat([first.data, more.data]),
    };
  }

  private sendSound({ index, samples, data }: Stretch): void {
    const { service, log } = this.given;
    const { format, minPieceMs = 0 } = service.audio;
    const missing = samplesInMs(format.sampleRate, minPieceMs) - samples;
    this.conversation.sound(missing > 0 ? Buffer.concat([data, silence(log.format, missing)]) : data);
    this.sent.addSound(index, samples);
    this.next = index + samples;
    if (missing > 0) this.sent.addSilence(this.next, missing);
    this.lastSentAt = this.given.clock.now();
  }

  /** Whether more may be sent now; where not, it goes on as soon as it may. */
  private isInPace(): boolean {
    const { service, clock } = this.given;
    const { maxSpeed } = service.audio;
    if (maxSpeed === undefined) return true;
    const waitMs = (this.sent.sentMs - AHEAD_MS) / maxSpeed - (clock.now() - this.readyAt);
    if (waitMs <= 0) return true;
    this.cancelPace ??= clock.after(waitMs, () => {
      this.cancelPace = undefined;
      this.pump();
    });
    return false;
  }

  private watchSilence(): void {
    const { service, clock } = this.given;
    const { keepAliveMs } = service.audio;
    if (keepAliveMs === undefined) return;
    const waitMs = this.lastSentAt + keepAliveMs - clock.now();
    this.cancelKeepAlive = clock.after(Math.max(1, waitMs), () => {
      if (this.phase !== 'ready') return;
      if (clock.now() - this.lastSentAt >= keepAliveMs) this.keepAlive();
      this.watchSilence();
    });
  }

  private keepAlive(): void {
    this.lastSentAt = this.given.clock.now();
    if (this.conversation.keepAlive) {
      this.conversation.keepAlive();
      return;
    }
    const { format } = this.given.log;
    const samples = samplesInMs(format.sampleRate, SILENCE_MS);
    this.conversation.sound(silence(format, samples));
    this.sent.addSilence(this.next, samples);
  }
}
