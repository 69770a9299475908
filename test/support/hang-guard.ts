/**
 * `it` with a limit for each test alone. A limit given to `describe` is for all of its tests together, so that a busy
 * machine alone reaches it; this one only ends a test that hangs.
 */
import { it as nodeIt, type TestFn, type TestOptions } from 'node:test';

const HANG_MS = 120_000;

export function it(name: string, body: TestFn): void;
export function it(name: string, options: TestOptions, body: TestFn): void;
export function it(name: string, ...rest: [TestFn] | [TestOptions, TestFn]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  void nodeIt(name, { timeout: HANG_MS, ...options }, body);
}
