/** The fallback is loaded where it is the release that is known, and refused in words where it is not. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { OrgoError } from '../../src/audio/errors';
import { loadWasmLibrary } from '../../src/opus/wasm-library';

const installed = dirname(createRequire(__filename).resolve('opusscript'));
const FILES = ['opusscript_native_wasm.js', 'opusscript_native_wasm.wasm'] as const;

function refused(text: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof OrgoError && error.code === 'ORGO_OPUS_FAILED' && text.test(error.message);
}

void describe('opusscript', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'opusscript-test-'));
    for (const file of FILES) copyFileSync(join(installed, 'build', file), join(directory, file));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  void test('of the release that is known encodes', () => {
    const codec = loadWasmLibrary(directory).open(48000, 2);
    assert.ok(codec.encode(Buffer.alloc(3840), 960).length > 0);
    codec.close();
  });

  for (const file of FILES) {
    void test(`with another ${file} is refused, with what to do`, () => {
      const content = readFileSync(join(directory, file));
      content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1);
      writeFileSync(join(directory, file), content);
      assert.throws(
        () => loadWasmLibrary(directory),
        refused(new RegExp(`not version 0\\.1\\.1.*${file}.*SHA-256.*npm install opusscript@0\\.1\\.1`)),
      );
    });

    void test(`without ${file} is refused, with what to do`, () => {
      rmSync(join(directory, file));
      assert.throws(
        () => loadWasmLibrary(directory),
        refused(/does not load: .*no such file.*npm install opusscript@0\.1\.1/),
      );
    });
  }

  void test('is pinned to that release', () => {
    const root = join(__dirname, '..', '..');
    const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
    const { dependencies } = read(join(root, 'package.json')) as { dependencies: Record<string, string> };
    assert.equal(dependencies['opusscript'], '0.1.1');
    const { version } = read(join(installed, 'package.json')) as { version: string };
    assert.equal(version, '0.1.1');
  });
});
