/** The processor that runs in the sound card's own thread: hands out what the jitter buffer makes. */
import { LevelMeter } from './level';
import { Playout } from './playout';
import { PROCESSOR, type ArrivedSound, type PlayoutReport } from './worklet-messages';

/** What an AudioWorkletGlobalScope has, and the DOM's types lack. */
interface WorkletScope {
  readonly sampleRate: number;
  readonly AudioWorkletProcessor: new () => { readonly port: MessagePort };
  registerProcessor?(name: string, processor: unknown): void;
}

/** Samples of one call, as the Web Audio API fixes them. */
const QUANTUM = 128;

/** Registers the processor where this module was loaded as a worklet; does nothing in a page. */
export function registerPlayout(): void {
  const scope = globalThis as unknown as WorkletScope;
  if (!scope.registerProcessor) return;
  class PlayoutProcessor extends scope.AudioWorkletProcessor {
    readonly #playout = new Playout(scope.sampleRate, QUANTUM);
    readonly #meter = new LevelMeter(scope.sampleRate);
    #isClosed = false;

    constructor() {
      super();
      this.port.onmessage = ({ data }: MessageEvent<ArrivedSound | undefined>) => {
        if (data) this.#playout.push(data, data.recorded);
        else this.#isClosed = true;
      };
    }

    process(_inputs: unknown, [output]: Float32Array[][]): boolean {
      const [left, right] = output ?? [];
      if (!left || !right) return !this.#isClosed;
      this.#playout.render(left, right);
      if (this.#meter.add([left, right])) this.port.postMessage(this.#report());
      return !this.#isClosed;
    }

    #report(): PlayoutReport {
      const { queuedMs, underruns, resets, isPlaying } = this.#playout;
      return { queuedMs, underruns, resets, isPlaying, level: this.#meter.db };
    }
  }
  scope.registerProcessor(PROCESSOR, PlayoutProcessor);
}
