/** Watches, from a process of its own, whether this machine lets a test's processes run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { adopt } from './sound-clients';
import type { Stall } from './stall-witness';

const PROGRAM = join(__dirname, '..', 'system', 'fixtures', 'machine-watch.cjs');

export interface MachineWitness {
  /** Also watches this process. */
  watch(pid: number): void;
  /** Ends it, and tells what it saw. */
  stop(): Promise<Stall[]>;
}

/** @param pids of the processes through which the sound goes */
export function startMachineWitness(...pids: number[]): MachineWitness {
  const child = adopt(spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const watch = (pid: number): void => void child.stdin.write(`${pid}\n`);
  pids.forEach(watch);
  return {
    watch,
    async stop() {
      child.stdin.end();
      await once(child, 'close');
      return JSON.parse(Buffer.concat(chunks).toString()) as Stall[];
    },
  };
}
