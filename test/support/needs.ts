/** What a test needs beside Node and the npm packages: where it is missing the test is skipped, by name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { findBrowser, hasProgram, hasPythonWebSockets } from '../../scripts/lib/programs.cjs';
import { DISCORD_MODULES, NEWER_RUNTIME, NODE_22 } from './runtimes';

/** Recordings of human speech, of Debian's pocketsphinx-testdata. */
export const HUMAN_SPEECH = '/usr/share/pocketsphinx/test/data';

/** What is not one program of that name, and how to tell that it is here. */
const THINGS: Readonly<Record<string, () => boolean>> = {
  chromium: () => findBrowser() !== undefined,
  'python3-websockets': hasPythonWebSockets,
  'pocketsphinx-testdata': () => existsSync(HUMAN_SPEECH),
  node22: () => existsSync(NODE_22),
  'node24-discord': () => existsSync(join(DISCORD_MODULES, '@discordjs', 'voice', 'package.json')),
  'node24-node-red5': () => existsSync(NEWER_RUNTIME.node) && existsSync(NEWER_RUNTIME.red),
};

/** For the options of one test. */
export interface SkipOption {
  /** Why it can't run here; false where it can. */
  readonly skip: string | false;
}

type TestBody = (t: TestContext) => void | Promise<void>;

/** What a suite of {@link describeWith} is written with. */
export interface SuiteTools {
  readonly test: (name: string, body: TestBody) => unknown;
  readonly before: (body: () => void | Promise<void>) => void;
  readonly after: (body: () => void | Promise<void>) => void;
}

/**
 * The options of a test that needs programs in PATH, or other things by their Debian names.
 * With CI set a missing one is a failure: there everything is installed, and nothing may be skipped by accident.
 */
export function needs(...names: string[]): SkipOption {
  const missing = names.filter((name) => !isHere(name));
  if (missing.length === 0) return { skip: false };
  const reason = `not installed: ${missing.join(', ')}`;
  if (process.env['CI']) throw new Error(`${reason}. CI is set, and skips nothing: install it.`);
  return { skip: reason };
}

/**
 * A suite that is skipped where `skip` says why. Each of its tests is then named and counted as skipped; node:test
 * itself would neither look into a skipped suite, nor leave its hooks alone.
 */
export function describeWith({ skip }: SkipOption, name: string, body: (tools: SuiteTools) => void): void {
  const nothing = (): void => undefined;
  const skipped = (reason: string): SuiteTools => ({
    test: (testName) => void test(testName, { skip: reason }, nothing),
    before: nothing,
    after: nothing,
  });
  void describe(name, () => body(skip === false ? { test, before, after } : skipped(skip)));
}

function isHere(name: string): boolean {
  return THINGS[name]?.() ?? hasProgram(name);
}
