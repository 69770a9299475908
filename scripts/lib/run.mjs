/** Runs a program and waits for it: arguments as a list, never through a shell. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout's own directory. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A failure that is told in one line; anything else that is thrown is a defect, and shows its stack. */
export class Failure extends Error {}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean }} [options] quiet: output is shown only when it fails
 * @returns {Promise<void>} rejects with a {@link Failure} that names the command and its exit code
 */
export function run(command, args, { env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    // npm is a batch file on Windows, which spawn starts only through a shell: use npm's own script instead.
    const npmScript = command === 'npm' ? process.env.npm_execpath : undefined;
    const child = spawn(npmScript ? process.execPath : command, npmScript ? [npmScript, ...args] : args, {
      cwd: ROOT,
      env,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => reject(new Failure(`${command} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      process.stderr.write(Buffer.concat(output));
      reject(new Failure(`${[command, ...args].join(' ')} failed (${signal ?? `exit code ${code}`}).`));
    });
  });
}

/** The path of a program that a dependency installs. @param {string} path under node_modules/ */
export function dependency(path) {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}

/**
 * Ends the process as `main` ends: exit code 1 and one line for a {@link Failure}.
 * @param {() => Promise<void>} main
 */
export function runMain(main) {
  main().catch((error) => {
    console.error(error instanceof Failure ? `\n${error.message}` : error);
    process.exitCode = 1;
  });
}
