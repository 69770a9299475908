/**
 * The jitter buffer: sound goes in as it arrives, and comes out at the sound card's pace, evenly. Pure: its only clock
 * is the samples that it has made.
 *
 * Live sound waits 40 ms at first (a frame of 20 ms, and 20 ms in hand), longer where arrivals prove that it must.
 * What waits beyond that is taken back by playing a few ppm faster, at once where there is silence, and by a cut only
 * where it is 150 ms. Recorded sound is queued whole.
 */
import { Arrivals } from './arrivals';
import { Fader } from './fader';
import { Interpolator } from './interpolator';
import { SampleQueue } from './sample-queue';
import type { Sound } from './sound';
import { SpeedControl } from './speed-control';

/** Sound in hand when a punctual chunk arrives, ms. */
const IN_HAND_MS = 20;
/** Of it, at least so much is still there when the latest chunk arrives, ms. */
const SPARE_MS = 8;
/** At the start the arrivals of this long are watched first; at most so long. ms */
const WATCH_MS = 35;
const MAX_WATCH_MS = 150;
const WATCHED_CHUNKS = 3;
/** So long a chunk is played without watching for the next. ms */
const LONG_CHUNK_MS = 100;
/** Sound that waits longer than it should by more than this is cut, ms. */
const CUT_MS = 150;
/** A burst takes no longer to arrive. ms */
const BURST_MS = 100;
/** A hole longer than this is no jitter: what comes after it begins anew, without what is too old by then. ms */
const MAX_JITTER_MS = 150;
/** A hole longer than this is a pause of the source, ms. */
const PAUSE_MS = 1000;
/** Live sound that may wait while nothing is played at all, ms. */
const MAX_WAITING_MS = 1000;
/** Recorded sound that may wait, ms. */
const MAX_RECORDING_MS = 600_000;
/** A deviation that is worth a correction in silence, ms. */
const SILENT_CORRECTION_MS = 5;
/** Fainter than this is silence: −84 dBFS, two steps of 16 bits. */
const SILENT = 2 ** -14;
const CONTROL_MS = 1000;

type State =
  /** Arrivals are watched; `since` is the first one. */
  | { readonly kind: 'filling'; readonly since: number | undefined }
  | { readonly kind: 'playing' }
  /** All was played. */
  | { readonly kind: 'dry'; readonly since: number };

export class Playout {
  readonly #outputRate: number;
  readonly #maxOutputs: number;
  readonly #fader: Fader;
  readonly #arrivals = new Arrivals();
  readonly #speed = new SpeedControl();
  #format = { sampleRate: 0, channels: 0 };
  #queue = new SampleQueue(1);
  #interpolator: Interpolator | undefined;
  #state: State = { kind: 'filling', since: undefined };
  /** Recorded sound is in the queue: nothing of it may be lost. */
  #isRecording = false;
  /** The last arrivals while filling. */
  #watched: { readonly lead: number; readonly at: number }[] = [];
  #chunkMs = 0;
  /** Sound that arrived, ms. */
  #received = 0;
  /** Time that passed, ms. */
  #now = 0;
  #nextControl = CONTROL_MS;
  #cutAt = -Infinity;
  /** Holes in live sound; a pause of a second and more is none. */
  underruns = 0;
  /** Cuts that brought the latency back. */
  resets = 0;

  /** @param outputRate Hz @param maxOutputs the most samples that {@link render} is asked for at once */
  constructor(outputRate: number, maxOutputs: number) {
    this.#outputRate = outputRate;
    this.#maxOutputs = maxOutputs;
    this.#fader = new Fader(outputRate);
  }

  /** Sound that waits, ms. */
  get queuedMs(): number {
    return this.#queue.length === 0 ? 0 : this.#ms(this.#queue.length);
  }

  get isPlaying(): boolean {
    return this.#state.kind === 'playing';
  }

  /** How much faster than nominal it plays. */
  get ppm(): number {
    return this.#speed.ppm;
  }

  /** Takes what has arrived. @param recorded whether all of it must be heard, however long it has to wait */
  push(sound: Sound, recorded = false): void {
    this.#setFormat(sound);
    const { samples, channels } = sound;
    this.#chunkMs = this.#ms(samples.length / channels);
    if (recorded || this.#isRecording) this.#pushRecorded(samples);
    else this.#pushLive(samples);
  }

  /** Makes the next samples: mono goes to both outputs. */
  render(left: Float32Array, right: Float32Array): void {
    const count = left.length;
    const step = (this.#format.sampleRate / this.#outputRate) * (1 + this.#speed.ppm * 1e-6);
    if (this.#state.kind !== 'playing' && this.#isReady()) this.#begin();
    left.fill(0);
    right.fill(0);
    const interpolator = this.#interpolator;
    if (this.#state.kind === 'playing' && interpolator) {
      if (interpolator.needed(count, step) > this.#queue.length) this.#runDry();
      else interpolator.run(this.#queue, [left, right], count, step);
      if (this.#format.channels === 1) right.set(left);
    }
    this.#fader.run(left, right);
    this.#now += (count * 1000) / this.#outputRate;
    if (this.#now >= this.#nextControl) this.#control();
  }

  #setFormat({ sampleRate, channels }: Sound): void {
    if (sampleRate === this.#format.sampleRate && channels === this.#format.channels) return;
    this.#format = { sampleRate, channels };
    this.#queue = new SampleQueue(channels);
    this.#interpolator = new Interpolator(
      sampleRate,
      this.#outputRate,
      Math.min(2, channels),
      this.#maxOutputs,
    );
    this.#restart();
  }

  #pushRecorded(samples: Float32Array): void {
    if (!this.#isRecording) this.#restart();
    this.#isRecording = true;
    if (this.queuedMs + this.#chunkMs <= MAX_RECORDING_MS) this.#queue.push(samples);
  }

  #pushLive(samples: Float32Array): void {
    if (this.#state.kind === 'dry' && this.#now - this.#state.since > MAX_JITTER_MS) {
      this.#countHole(this.#state.since);
      this.#restart();
    }
    if (this.#state.kind === 'filling' && this.#state.since === undefined) {
      this.#state = { kind: 'filling', since: this.#now };
    }
    const lead = this.#received - this.#now;
    if (this.#state.kind === 'filling') this.#watch(lead);
    else if (this.#arrivals.isAhead(lead, this.#tolerance())) this.#cut(lead);
    else this.#arrivals.add(lead, this.#now);
    this.#received += this.#chunkMs;
    this.#queue.push(this.#corrected(samples));
    if (this.#state.kind === 'filling') this.#dropBeyond(MAX_WAITING_MS);
  }

  #watch(lead: number): void {
    this.#watched.push({ lead, at: this.#now });
    if (this.#watched.length > WATCHED_CHUNKS) this.#watched.shift();
  }

  #countHole(since: number): void {
    if (this.#now - since < PAUSE_MS) this.underruns++;
  }

  /** How much earlier than usual a chunk may come. */
  #tolerance(): number {
    return this.#isBursting() ? this.#chunkMs / 2 : Math.max(CUT_MS, this.#chunkMs);
  }

  /** Whether sound was cut a moment ago: what still comes of that burst is cut, too. */
  #isBursting(): boolean {
    return this.#now - this.#cutAt < BURST_MS;
  }

  /** More came at once than ever waits: only the newest is played, from here on. */
  #cut(lead: number): void {
    if (!this.#isBursting()) this.resets++;
    this.#cutAt = this.#now;
    this.#arrivals.clear();
    this.#arrivals.add(lead, this.#now);
    this.#dropBeyond(IN_HAND_MS);
    this.#jump();
  }

  #isReady(): boolean {
    if (this.#queue.length === 0) return false;
    if (this.#isRecording) return true;
    if (this.#state.kind === 'filling' && !this.#hasWatched(this.#state.since ?? this.#now)) return false;
    return this.#excessMs() >= 0;
  }

  /** Whether sound now comes as fast as it is played: a backlog that came at once is over. */
  #hasWatched(since: number): boolean {
    const [oldest, , newest] = this.#watched;
    if (this.#now - since >= MAX_WATCH_MS || this.#chunkMs >= LONG_CHUNK_MS) return true;
    if (!oldest || !newest || this.#now - since < WATCH_MS) return false;
    return newest.at - oldest.at >= 1.5 * this.#chunkMs;
  }

  #begin(): void {
    if (this.#state.kind === 'dry') this.#countHole(this.#state.since);
    if (!this.#isRecording) {
      const excess = this.#excessMs();
      for (const { lead, at } of this.#watched) this.#arrivals.add(lead, at);
      this.#watched = [];
      if (excess > 0) this.#dropBeyond(this.queuedMs - excess);
    }
    this.#state = { kind: 'playing' };
    this.#nextControl = this.#now + CONTROL_MS;
    this.#jump();
  }

  #runDry(): void {
    if (this.#isRecording) {
      this.#restart();
      return;
    }
    this.#state = { kind: 'dry', since: this.#now };
    this.#jump();
  }

  /** Forgets all that waits, and what is known of the arrivals. */
  #restart(): void {
    this.#queue.drop(this.#queue.length);
    this.#isRecording = false;
    this.#arrivals.clear();
    this.#watched = [];
    this.#state = { kind: 'filling', since: undefined };
    this.#jump();
  }

  /** Sound in hand when the latest chunk arrives, beyond what is wanted then; ms, negative where it is less. */
  #excessMs(): number {
    const leads = this.#watched.map(({ lead }) => lead);
    const least = Math.min(this.#arrivals.least ?? Infinity, ...leads);
    if (least === Infinity) return 0;
    const lookahead = this.#ms(this.#interpolator?.lookahead ?? 0);
    const inHand = this.queuedMs - lookahead - (this.#received - this.#now) + least;
    const jitter = leads.length > 0 ? Math.max(...leads) - least : this.#arrivals.jitterMs;
    if (jitter < IN_HAND_MS - SPARE_MS) return inHand - IN_HAND_MS + jitter;
    // Three chunks show half of the jitter that is to be expected.
    return inHand - SPARE_MS - (leads.length > 0 ? jitter : 0);
  }

  /** In silence the latency is put right at once: samples are left out, or more silence comes in. */
  #corrected(samples: Float32Array): Float32Array {
    if (this.#state.kind !== 'playing') return samples;
    const excess = this.#excessMs() + this.#chunkMs;
    if (Math.abs(excess) < SILENT_CORRECTION_MS || !samples.every((value) => Math.abs(value) < SILENT)) {
      return samples;
    }
    this.#speed.settle();
    const { channels } = this.#format;
    const count = samples.length / channels;
    const wanted = Math.max(0, count - Math.round(this.#samplesIn(excess)));
    return wanted <= count ? samples.subarray(0, wanted * channels) : new Float32Array(wanted * channels);
  }

  #control(): void {
    this.#nextControl = this.#now + CONTROL_MS;
    if (this.#state.kind !== 'playing' || this.#isRecording || this.#arrivals.seconds < 2) return;
    this.#speed.update(this.#excessMs());
  }

  #dropBeyond(keepMs: number): void {
    this.#queue.drop(Math.max(0, this.#queue.length - Math.round(this.#samplesIn(Math.max(0, keepMs)))));
  }

  #jump(): void {
    this.#interpolator?.clear();
    this.#fader.jump();
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#format.sampleRate;
  }

  #samplesIn(ms: number): number {
    return (ms * this.#format.sampleRate) / 1000;
  }
}
