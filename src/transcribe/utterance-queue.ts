/** The utterances of one stream that have no words yet: asked for several at once, answered in the order in which they were spoken. */
import { Backoff } from '../audio/backoff';
import { asError } from '../audio/errors';
import { within } from '../network/timeouts';
import { saidBy, ServiceFailure, type Named } from './failure';
import type { Heard } from './heard';
import type { Transcriber, Way } from './service';
import type { Slots } from './slots';

/** After that it is given up. */
const TRIES = 3;
/** After a wrong key. */
const KEY_WAIT_MS = 30_000;
/** No service may ask for a longer wait. */
const MAX_WAIT_MS = 120_000;

/** One utterance, as the service takes it. */
export interface Utterance {
  readonly sound: Buffer;
  readonly lastsMs: number;
  /** Indices in the stream's sound. */
  readonly start: number;
  readonly end: number;
  /** What came along with it. */
  readonly speech: object | undefined;
}

export interface UtteranceQueueOptions {
  readonly transcriber: Transcriber;
  readonly named: Named;
  readonly slots: Slots;
  readonly timeoutMs: number;
  /** Sound that waits at most, what is under way included; the newest utterance waits in any case. */
  readonly maxBufferMs: number;
  readonly way: Omit<Way, 'signal'>;
  readonly random: () => number;
}

export interface UtteranceSink {
  /** Its words, in the order in which utterances were added. */
  onHeard(utterance: Utterance, heard: Heard): void;
  /** It was given up. */
  onGivenUp(utterance: Utterance, failure: ServiceFailure): void;
  /** It had no room. */
  onDropped(utterance: Utterance): void;
  /** A try failed, and the next one comes after so long. */
  onRetry(failure: ServiceFailure, waitMs: number): void;
  /** The service answers. */
  onAnswer(): void;
}

interface Entry {
  readonly utterance: Utterance;
  /** Whether it has a slot. */
  started: boolean;
  done?: { readonly heard: Heard } | { readonly failure: ServiceFailure };
}

export class UtteranceQueue {
  private entries: Entry[] = [];
  private readonly abort = new AbortController();
  /** Those who wait for the next try. */
  private readonly sleepers = new Set<() => void>();
  private emptied: (() => void)[] = [];

  constructor(
    private readonly options: UtteranceQueueOptions,
    private readonly sink: UtteranceSink,
  ) {}

  get waitingMs(): number {
    return this.entries.reduce((sum, { utterance }) => sum + utterance.lastsMs, 0);
  }

  add(utterance: Utterance): void {
    const entry: Entry = { utterance, started: false };
    this.entries.push(entry);
    this.limit();
    this.options.slots.take(() => {
      // It may have been dropped while it waited.
      if (this.isClosed || !this.entries.includes(entry)) {
        this.options.slots.release();
        return;
      }
      entry.started = true;
      void this.answer(entry).finally(() => this.options.slots.release());
    });
  }

  /** Tries at once what waits for its next try. */
  hurry(): void {
    for (const wake of [...this.sleepers]) wake();
  }

  /** Resolves when nothing waits for an answer. */
  empty(): Promise<void> {
    return this.entries.length === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.emptied.push(resolve));
  }

  /** Drops everything. May be called twice. */
  close(): void {
    this.entries = [];
    this.abort.abort(new Error('closed'));
    this.hurry();
    this.settle();
  }

  private get isClosed(): boolean {
    return this.abort.signal.aborted;
  }

  private async answer(entry: Entry): Promise<void> {
    const backoff = new Backoff(this.options.random);
    for (let tries = 1; ; tries++) {
      const result = await this.ask(entry.utterance);
      if (this.isClosed) return;
      if ('heard' in result) {
        this.sink.onAnswer();
        this.finish(entry, result);
        return;
      }
      const { failure } = result;
      // A wrong key is no fault of the utterance.
      if (failure.kind === 'key') tries--;
      if (failure.kind === 'refused' || tries >= TRIES) {
        this.finish(entry, result);
        return;
      }
      const asked = failure.retryAfterMs ?? (failure.kind === 'key' ? KEY_WAIT_MS : backoff.next());
      const waitMs = Math.min(MAX_WAIT_MS, asked);
      this.sink.onRetry(failure, waitMs);
      if (!(await this.sleep(waitMs))) return;
    }
  }

  private async ask({ sound }: Utterance): Promise<NonNullable<Entry['done']>> {
    const { transcriber, timeoutMs, way, named } = this.options;
    const timeUp = saidBy(named, 'failed', `no answer within ${timeoutMs / 1000} s`);
    try {
      const heard = await within(way.clock, timeoutMs, this.abort.signal, timeUp, (signal) =>
        transcriber.transcribe(sound, { ...way, signal }),
      );
      return { heard };
    } catch (thrown) {
      if (thrown instanceof ServiceFailure) return { failure: thrown };
      return { failure: saidBy(named, 'failed', asError(thrown).message) };
    }
  }

  private finish(entry: Entry, done: NonNullable<Entry['done']>): void {
    entry.done = done;
    for (let [first] = this.entries; first?.done; [first] = this.entries) {
      this.entries.shift();
      const { utterance } = first;
      if ('heard' in first.done) this.sink.onHeard(utterance, first.done.heard);
      else this.sink.onGivenUp(utterance, first.done.failure);
    }
    this.settle();
  }

  private limit(): void {
    while (this.waitingMs > this.options.maxBufferMs) {
      const oldest = this.entries.findIndex(({ started }) => !started);
      if (oldest < 0 || oldest === this.entries.length - 1) return;
      const [dropped] = this.entries.splice(oldest, 1);
      if (dropped) this.sink.onDropped(dropped.utterance);
    }
  }

  private settle(): void {
    if (this.entries.length > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  /** Whether it is still wanted afterwards. */
  private sleep(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.sleepers.delete(wake);
        resolve(!this.isClosed);
      };
      const cancel = this.options.way.clock.after(ms, wake);
      this.sleepers.add(wake);
    });
  }
}
