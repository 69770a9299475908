/** Plays an audio server's sound in a page: connects, plays, connects again, and says in words what is wrong. */
import { Backoff, type WaitSchedule } from '../src/audio/backoff';
import { Heartbeat } from '../src/network/heartbeat';
import { audioAddress } from './address';
import { Observable } from './observable';
import { pageClock } from './page-clock';
import { problemOfClose, finalProblem, type Problem } from './problems';
import { createSoundOutput, type OutputProperties, type SoundOutput } from './sound-output';
import { WireReader } from './wire-reader';

/**
 * `stopped`: never started, stopped, or ended by a problem; `connecting`: no sound yet; `playing`; `waiting`: the
 * connection is lost, and is tried again soon.
 */
export type PlayerState = 'stopped' | 'connecting' | 'playing' | 'waiting';

export interface PlayerProperties extends Omit<OutputProperties, 'state'> {
  readonly state: PlayerState;
}

export interface PlayerOptions {
  /**
   * Of the audio WebSocket, `wss://host/audio`; also `https:`, or relative to the page. `sample_rate` and `channels`
   * may be in its query.
   */
  readonly url: string;
  /** The computer's password. */
  readonly token: string;
  /** 0 to 1; 1 */
  readonly volume?: number;
}

const RECONNECT: WaitSchedule = { firstMs: 500, maxMs: 10_000, fixedShare: 0.5 };
/** What a browser reports where a connection ended without a closing handshake (RFC 6455 §7.4.1). */
const NO_HANDSHAKE = 1006;
const FROM_OUTPUT = ['volume', 'level', 'latencyMs', 'underruns'] as const;

/** Plays one server's sound. Each property fires an event of its own name when it changes. */
export class Player extends Observable<PlayerProperties> {
  readonly #output: SoundOutput;
  readonly #backoff = new Backoff(Math.random, RECONNECT);
  readonly #options: PlayerOptions;
  /** Ends the connection, or the wait for the next one. */
  #disconnect: (() => void) | undefined;

  constructor(options: PlayerOptions) {
    const output = createSoundOutput(options.volume === undefined ? {} : { volume: options.volume });
    const { volume, level, latencyMs, underruns } = output;
    super({ volume, level, latencyMs, underruns, state: 'stopped', problem: undefined });
    this.#options = options;
    this.#output = output;
    for (const name of FROM_OUTPUT) output.addEventListener(name, () => this.set(name, output[name]));
    output.addEventListener('state', () => this.#followOutput());
    output.addEventListener('problem', () => {
      if (output.problem) this.#end(output.problem);
    });
  }

  get volume(): number {
    return this.#output.volume;
  }
  /** 0 (silent) to 1 (as it comes). @throws RangeError for anything else */
  set volume(volume: number) {
    this.#output.volume = volume;
  }

  /** RMS of the last 300 ms, before the volume, dBFS; −96 for silence. */
  get level(): number {
    return this.get('level');
  }

  /** Age of what is heard now, ms: see {@link SoundOutput.latencyMs}. */
  get latencyMs(): number | undefined {
    return this.get('latencyMs');
  }

  /** Holes since the start. */
  get underruns(): number {
    return this.get('underruns');
  }

  get state(): PlayerState {
    return this.get('state');
  }

  /** What is wrong now, in words; undefined where all is well. */
  get problem(): Problem | undefined {
    return this.get('problem');
  }

  /** What is played, before the volume, for pictures of it; undefined while stopped. */
  get analyser(): AnalyserNode | undefined {
    return this.#output.analyser;
  }

  /** Starts to play. Call it while a click or a key press is handled: browsers want one before they play. */
  start(): void {
    if (this.#disconnect) return;
    this.set('problem', undefined);
    let address: string;
    try {
      address = audioAddress(this.#options, document.baseURI);
    } catch (error) {
      this.set('problem', finalProblem('bad-address', (error as Error).message));
      return;
    }
    this.#backoff.reset();
    this.#output.start();
    if (!this.#output.problem) this.#connect(address);
  }

  /** Stops to play, and leaves the server. */
  stop(): void {
    this.#disconnect?.();
    this.#disconnect = undefined;
    this.#output.stop();
    this.set('state', 'stopped');
  }

  #connect(address: string): void {
    this.set('state', 'connecting');
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    const reader = new WireReader();
    let said = '';
    const ended = (code: number): void => {
      leave();
      this.#onEnd(address, problemOfClose(code, said));
    };
    const heartbeat = new Heartbeat(
      pageClock,
      () => {
        if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
      },
      () => ended(NO_HANDSHAKE),
    );
    const leave = (): void => {
      heartbeat.stop();
      socket.onmessage = socket.onclose = null;
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"stop"}');
      socket.close();
    };
    socket.onclose = ({ code }) => ended(code);
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      heartbeat.sawLife();
      if (typeof data === 'string') {
        const event = reader.readText(data);
        if (event.kind === 'error') said = event.message;
        else if (event.kind === 'started') this.#onStarted();
      } else {
        for (const sound of reader.readBinary(data, Date.now())) this.#output.push(sound);
      }
    };
    this.#disconnect = leave;
  }

  #onStarted(): void {
    this.#backoff.reset();
    this.set('problem', undefined);
  }

  #onEnd(address: string, problem: Problem): void {
    if (!problem.retries) {
      this.#end(problem);
      return;
    }
    this.set('state', 'waiting');
    this.set('problem', problem);
    const again = (): void => {
      cancel();
      this.#connect(address);
    };
    const cancelTimer = pageClock.after(this.#backoff.next(), again);
    addEventListener('online', again);
    const cancel = (): void => {
      cancelTimer();
      removeEventListener('online', again);
    };
    this.#disconnect = cancel;
  }

  #followOutput(): void {
    if (this.#output.state === 'playing' && this.state === 'connecting') this.set('state', 'playing');
  }

  #end(problem: Problem): void {
    this.stop();
    this.set('problem', problem);
  }
}

/** Makes a player of a server's sound. It is stopped until `start()`. */
export function createPlayer(options: PlayerOptions): Player {
  return new Player(options);
}
