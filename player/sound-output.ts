/** Plays what it is given: an AudioContext with the jitter buffer in its worklet, a volume, and an analyser. */
import { SILENCE_DB } from './level';
import { Observable } from './observable';
import { AUTOPLAY, finalProblem, noWorklet, type Problem } from './problems';
import type { OutputSound } from './sound';
import { checkedVolume } from './volume';
import { PROCESSOR, type ArrivedSound, type PlayoutReport } from './worklet-messages';

/**
 * `stopped`; `starting`: the browser opens its sound device; `waiting`: nothing is there to be played; `playing`.
 */
export type OutputState = 'stopped' | 'starting' | 'waiting' | 'playing';

export interface OutputProperties {
  readonly volume: number;
  readonly level: number;
  readonly latencyMs: number | undefined;
  readonly underruns: number;
  readonly state: OutputState;
  readonly problem: Problem | undefined;
}

export interface SoundOutputOptions {
  /** 0 to 1; 1 */
  readonly volume?: number;
}

/** Live sound is no longer than this in one piece, ms. */
const MAX_LIVE_MS = 1000;
/** Pieces of live sound that are kept while the device is being opened. */
const MAX_EARLY = 50;
/** A browser that lets a page play has begun by then. ms */
const AUTOPLAY_LIMIT_MS = 2000;
/** A change of volume takes this long, so that it does not click. s */
const VOLUME_TIME = 0.02;
/** Clocks that differ by more than this tell nothing about the age of sound, ms. */
const MAX_AGE_MS = 60_000;

/** All that lives from one start to its stop. */
interface Run {
  readonly context: AudioContext;
  readonly gain: GainNode;
  readonly analyser: AnalyserNode;
  node: AudioWorkletNode | undefined;
  /** What came before the node was there. */
  early: ArrivedSound[];
  /** Capture time of the end of what was pushed last, epoch ms. */
  endTime: number | undefined;
  cancelLimit: () => void;
}

/** Plays sound that its owner brings. Each property fires an event of its own name when it changes. */
export class SoundOutput extends Observable<OutputProperties> {
  #run: Run | undefined;

  constructor({ volume = 1 }: SoundOutputOptions = {}) {
    super({
      ...{ volume: checkedVolume(volume), level: SILENCE_DB, latencyMs: undefined, underruns: 0 },
      ...{ state: 'stopped', problem: undefined },
    });
  }

  get volume(): number {
    return this.get('volume');
  }
  /** 0 (silent) to 1 (as it comes). @throws RangeError for anything else */
  set volume(volume: number) {
    this.set('volume', checkedVolume(volume));
    const { gain, context } = this.#run ?? {};
    gain?.gain.setTargetAtTime(volume, context?.currentTime ?? 0, VOLUME_TIME);
  }

  /** RMS of what was heard in the last 300 ms, before the volume, dBFS; −96 for silence. */
  get level(): number {
    return this.get('level');
  }

  /**
   * Age of what is heard now, ms: since its capture where that is known, else since it was pushed; the time that the
   * sound device takes included. Undefined where nothing plays.
   */
  get latencyMs(): number | undefined {
    return this.get('latencyMs');
  }

  /** Holes in live sound since the start. */
  get underruns(): number {
    return this.get('underruns');
  }

  get state(): OutputState {
    return this.get('state');
  }

  /** Why it stopped by itself; undefined where all is well. */
  get problem(): Problem | undefined {
    return this.get('problem');
  }

  /** What is played, before the volume, for pictures of it; undefined while stopped. */
  get analyser(): AnalyserNode | undefined {
    return this.#run?.analyser;
  }

  /** Starts to play. Call it while a click or a key press is handled: browsers want one before they play. */
  start(): void {
    if (this.#run) return;
    this.set('problem', undefined);
    this.set('underruns', 0);
    if (typeof AudioWorkletNode === 'undefined') {
      this.set('problem', noWorklet(isSecureContext));
      return;
    }
    const context = new AudioContext({ latencyHint: 'interactive' });
    const analyser = context.createAnalyser();
    const gain = context.createGain();
    gain.gain.value = this.volume;
    analyser.connect(gain).connect(context.destination);
    const limit = setTimeout(() => this.#fail(AUTOPLAY), AUTOPLAY_LIMIT_MS);
    const cancelLimit = (): void => clearTimeout(limit);
    const run: Run = { context, gain, analyser, node: undefined, early: [], endTime: undefined, cancelLimit };
    this.#run = run;
    this.set('state', 'starting');
    context.resume().then(cancelLimit, cancelLimit);
    void this.#open(run);
  }

  /** Ends it: what waits is not played any more. */
  stop(): void {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    run.cancelLimit();
    run.node?.port.postMessage(undefined);
    void run.context.close();
    this.set('latencyMs', undefined);
    this.set('level', SILENCE_DB);
    this.set('state', 'stopped');
  }

  /**
   * Plays `sound` when its turn comes; does nothing while stopped. Rate and channels may change from one call to the
   * next; of more than two channels the first two are heard.
   * @throws RangeError where `samples` does not hold whole samples of `channels` at `sampleRate`
   */
  push({ samples, sampleRate, channels, time }: OutputSound): void {
    checkFormat(samples, sampleRate, channels);
    const run = this.#run;
    if (!run || samples.length === 0) return;
    const durationMs = (samples.length / channels / sampleRate) * 1000;
    const recorded = time === undefined || durationMs > MAX_LIVE_MS;
    run.endTime = recorded ? undefined : time + durationMs;
    const arrived: ArrivedSound = { samples, sampleRate, channels, recorded };
    if (run.node) run.node.port.postMessage(arrived);
    else {
      run.early.push(arrived);
      if (!recorded && run.early.length > MAX_EARLY) run.early.shift();
    }
  }

  async #open(run: Run): Promise<void> {
    try {
      // The module itself, not a Blob: a strict Content-Security-Policy then needs no more than this script's origin.
      await run.context.audioWorklet.addModule(import.meta.url);
    } catch (error) {
      if (this.#run === run) this.#fail(noModule(error));
      return;
    }
    if (this.#run !== run) return;
    const node = new AudioWorkletNode(run.context, PROCESSOR, { numberOfInputs: 0, outputChannelCount: [2] });
    node.port.onmessage = ({ data }: MessageEvent<PlayoutReport>) => {
      if (this.#run === run) this.#report(run, data);
    };
    node.connect(run.analyser);
    run.node = node;
    for (const sound of run.early) node.port.postMessage(sound);
    run.early = [];
  }

  #report(run: Run, { queuedMs, level, underruns, isPlaying }: PlayoutReport): void {
    this.set('level', Math.round(level * 10) / 10);
    this.set('underruns', underruns);
    this.set('latencyMs', isPlaying ? Math.round(latency(run, queuedMs)) : undefined);
    this.set('state', isPlaying ? 'playing' : 'waiting');
  }

  #fail(problem: Problem): void {
    this.stop();
    this.set('problem', problem);
  }
}

/** Makes an output for sound that its owner brings. It is stopped until `start()`. */
export function createSoundOutput(options?: SoundOutputOptions): SoundOutput {
  return new SoundOutput(options);
}

function latency({ context, endTime }: Run, queuedMs: number): number {
  const { outputLatency = 0, baseLatency } = context as { outputLatency?: number; baseLatency: number };
  const afterwards = queuedMs + (outputLatency || baseLatency) * 1000;
  const age = endTime === undefined ? -1 : Date.now() - endTime;
  return age >= 0 && age < MAX_AGE_MS ? age + afterwards : afterwards;
}

function noModule(error: unknown): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return finalProblem(
    'unsupported',
    `The browser could not load the player (${import.meta.url}) as an audio worklet: ${reason}`,
  );
}

function checkFormat(samples: Float32Array, sampleRate: number, channels: number): void {
  if (!(sampleRate >= 3000 && sampleRate <= 768_000)) {
    throw new RangeError(`sampleRate is ${String(sampleRate)}: it must be from 3000 to 768000`);
  }
  if (!Number.isInteger(channels) || channels < 1 || channels > 32) {
    throw new RangeError(`channels is ${String(channels)}: it must be a whole number from 1 to 32`);
  }
  if (samples.length % channels !== 0) {
    throw new RangeError(
      `samples has ${samples.length} values: it must be a multiple of channels, ${channels}`,
    );
  }
}
