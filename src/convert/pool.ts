/** Bounds how many child processes run at once; later ones wait their turn. */
import { availableParallelism } from 'node:os';

/** More children than cores keep the cores busy while some wait for input. */
const MORE_THAN_CORES = 2;

export interface Place {
  /** Resolves when it is this one's turn. */
  readonly turn: Promise<void>;
  /** Gives the place to the next one; also leaves the queue. May be called twice. */
  release(): void;
}

export class ConversionPool {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(readonly limit: number = availableParallelism() + MORE_THAN_CORES) {}

  /** How many wait for their turn. */
  get queued(): number {
    return this.waiting.length;
  }

  enter(): Place {
    let start: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => {
      start = resolve;
    });
    this.waiting.push(start);
    this.next();
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      const at = this.waiting.indexOf(start);
      if (at >= 0) this.waiting.splice(at, 1);
      else this.running--;
      this.next();
    };
    return { turn, release };
  }

  private next(): void {
    while (this.running < this.limit) {
      const start = this.waiting.shift();
      if (!start) return;
      this.running++;
      start();
    }
  }
}

/** All conversions of this process. */
export const sharedPool = new ConversionPool();
