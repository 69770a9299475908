/** A parent that is killed leaves no ffmpeg: not while it decodes, encodes, or stands still with its pipes full. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { childrenOf, isRunning } from '../../convert/support/children';
import { skipWithoutFfmpeg } from '../../convert/support/files';

const PARENT = join(__dirname, '../../convert/support/parent.ts');

for (const mode of ['decode', 'encode', 'blocked']) {
  void test(`a SIGKILL of the parent, ${mode}`, { skip: skipWithoutFfmpeg }, async () => {
    const parent = spawn(process.execPath, [...process.execArgv, PARENT, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const children = childrenOf(parent.pid ?? 0);
    assert.equal(children.length, 1);
    parent.stdout.resume();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    // The test's own limit ends a wait in vain.
    while (children.some(isRunning)) await turn();
  });
}
