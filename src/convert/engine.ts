/** What converts one stream, ffmpeg or ourselves, and what it needs from outside. */
import { systemClock, type Clock } from '../audio/clock';
import type { OrgoError } from '../audio/errors';
import { findFfmpeg, type Ffmpeg } from './find-ffmpeg';
import { sharedPool, type ConversionPool } from './pool';

/** Its promises do not reject for bad bytes: the error is what {@link ended} and {@link finish} give. */
export interface Engine {
  /** Resolves when it is over and all that it made was taken: with what went wrong, or undefined. */
  readonly ended: Promise<OrgoError | undefined>;
  /** Resolves when there is room for more, also where it is over. */
  write(bytes: Buffer): Promise<void>;
  /** No more comes; the same as {@link ended}. */
  finish(): Promise<OrgoError | undefined>;
  /** Drops everything; resolves when no process is left. */
  abort(): Promise<void>;
}

/** What a conversion takes from outside; tests pass their own. */
export interface Dependencies {
  readonly clock: Clock;
  readonly pool: ConversionPool;
  /** @throws OrgoError `ORGO_NO_FFMPEG` */
  findFfmpeg(): Promise<Ffmpeg>;
}

/** What every conversion of this process shares. */
export const systemDependencies: Dependencies = { clock: systemClock, pool: sharedPool, findFfmpeg };
