/** Other people's programs over a file that was written here. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ran {
  readonly status: number | null;
  /** Both streams. */
  readonly text: string;
}

/** Runs a program in a directory that is gone afterwards; `files` are put there before, `read` after. */
export function runWith<T>(
  files: Readonly<Record<string, Buffer>>,
  command: readonly [string, ...string[]],
  read: (ran: Ran, file: (name: string) => Buffer) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'opus-test-'));
  try {
    for (const [name, data] of Object.entries(files)) writeFileSync(join(directory, name), data);
    const [program, ...args] = command;
    const ran = spawnSync(program, args, { cwd: directory });
    if (ran.error) throw ran.error;
    const text = `${ran.stdout.toString()}${ran.stderr.toString()}`;
    return read({ status: ran.status, text }, (name) => readFileSync(join(directory, name)));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
