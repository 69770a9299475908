/**
 * Watches whether this machine lets a test's processes run: from a process of its own, and by the gaps of this process'
 * event loop in which no code of it ran, such as while it waits for a program that it starts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { adopt } from './sound-clients';
import type { Stall } from './stall-witness';

const PROGRAM = join(__dirname, '..', 'system', 'fixtures', 'machine-watch.cjs');

const PERIOD_MS = 10;
/** Less is not worth telling. */
const LEAST_MS = 5;

export interface MachineWitness {
  /** Also watches this process; one that was just started, from its birth on. */
  watch(pid: number, age?: 'new'): void;
  /** Ends it, and tells what it saw. */
  stop(): Promise<Stall[]>;
}

/** @param pids of the processes through which the sound goes */
export function startMachineWitness(...pids: number[]): MachineWitness {
  const child = adopt(spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const watch = (pid: number, age = ''): void => void child.stdin.write(`${pid} ${age}\n`);
  for (const pid of pids) watch(pid);
  const eventLoop = watchEventLoop();
  return {
    watch,
    async stop() {
      child.stdin.end();
      await once(child, 'close');
      return [...(JSON.parse(Buffer.concat(chunks).toString()) as Stall[]), ...eventLoop.stop()];
    },
  };
}

/** Sees when this process' timers come late, less the CPU time that it used meanwhile: that was its own doing. */
function watchEventLoop(): { stop(): Stall[] } {
  const epochMs = (): number => performance.timeOrigin + performance.now();
  const stalls: Stall[] = [];
  let [last, used] = [epochMs(), process.cpuUsage()];
  const look = (): void => {
    const { user, system } = process.cpuUsage(used);
    const now = epochMs();
    const lostMs = now - last - PERIOD_MS - (user + system) / 1000;
    if (lostMs >= LEAST_MS)
      stalls.push({ what: 'the event loop stood still', fromMs: last, toMs: now, lostMs });
    [last, used] = [now, process.cpuUsage()];
  };
  const timer = setInterval(look, PERIOD_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return stalls;
    },
  };
}
