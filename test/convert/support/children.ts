/** Programs that stand in for ffmpeg, and what is left of processes and handles. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock, type Clock } from '../../../src/audio/clock';
import type { Dependencies } from '../../../src/convert/engine';
import { ConversionPool } from '../../../src/convert/pool';

export interface StandIn {
  readonly path: string;
  readonly dependencies: (clock?: Clock) => Dependencies;
  readonly remove: () => void;
}

/** A program named ffmpeg that runs `script` in sh. */
export function standIn(script: string): StandIn {
  const directory = mkdtempSync(join(tmpdir(), 'orgo-ffmpeg-'));
  const path = join(directory, 'ffmpeg');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return {
    path,
    dependencies: (clock = systemClock) => ({
      clock,
      pool: new ConversionPool(4),
      findFfmpeg: () => Promise.resolve({ path, version: 'stand-in' }),
    }),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** Ids of the processes of that name whose parent is `parent`, by Linux's /proc. */
export function childrenOf(parent: number, name = 'ffmpeg'): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => statusOf(pid).parent === parent && statusOf(pid).name === name);
}

/** Waits until no child of that name is left, as one does that is ending; the test's own limit ends a wait in vain. */
export async function untilNoChild(name = 'ffmpeg'): Promise<void> {
  while (childrenOf(process.pid, name).length > 0) await turn();
}

/** Whether the process runs: a zombie does not. */
export function isRunning(pid: number): boolean {
  const { state } = statusOf(pid);
  return state !== '' && state !== 'Z';
}

function statusOf(pid: number): { name: string; state: string; parent: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    return { name, state, parent: Number(parent) };
  } catch {
    // It is gone.
    return { name: '', state: '', parent: 0 };
  }
}

/** How many files, pipes and sockets this process holds open. */
export function openHandles(): number {
  return readdirSync('/proc/self/fd').length;
}
