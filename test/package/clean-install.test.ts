/** The package in a fresh user directory: prism-media and opusscript side by side, on each release of Node. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { needs } from '../support/needs';
import { packPackage } from '../support/packed-package';
import { NEWER_RUNTIME, NODE_22, userDirectoryWith, type InstalledDirectory } from '../support/runtimes';

const run = promisify(execFile);

/** Loads what the product loads, and uses it. */
const PROGRAM = `
  const { FFmpeg } = require(require.resolve('prism-media', { paths: [root] }));
  if (typeof FFmpeg !== 'function') throw new Error('prism-media has no FFmpeg');
  const { ownEncoder } = require(root + '/dist/src/convert/own-codecs.js');
  const data = Buffer.alloc(96000);
  const format = { encoding: 's16le', sampleRate: 24000, channels: 1 };
  const encoder = ownEncoder('ogg-opus', 64000);
  encoder.push({ format, data, samples: 48000, position: 0, time: 0, gap: 0, latencyMs: 0 });
  if (encoder.flush().length === 0) throw new Error('nothing was encoded');
  const { Decoding } = require(root + '/dist/src/convert/decoding.js');
  new Decoding({}, () => undefined);
  console.log('works');
`;

void describe('a clean install', () => {
  let directory: InstalledDirectory;
  before(async () => {
    const packed = await packPackage();
    directory = await userDirectoryWith(packed.file);
    await packed.remove();
  });
  after(() => directory.remove());

  void test('says nothing of a conflict between prism-media and opusscript', async () => {
    assert.doesNotMatch(directory.said, /error|ERESOLVE|conflict|invalid/i);
    const { stdout } = await run('npm', ['ls', 'opusscript', 'prism-media', '--json'], {
      cwd: directory.path,
    }).catch((error: unknown) => error as { stdout: string });
    const tree = JSON.parse(stdout) as { problems?: string[] };
    assert.deepEqual(tree.problems ?? [], []);
  });

  for (const [name, node, options] of [
    ['this Node', process.execPath, {}],
    ['Node 22', NODE_22, needs('node22')],
    ['Node 24', NEWER_RUNTIME.node, needs('node24-node-red5')],
  ] as const) {
    void test(`works on ${name}`, options, async () => {
      const { stdout: version } = await run(node, ['--version']);
      const [, major] = /^Node (\d+)$/.exec(name) ?? [];
      assert.ok(version.startsWith(major === undefined ? process.version : `v${major}.`), version);
      const root = join(directory.path, 'node_modules', 'node-red-contrib-orgo-audio');
      const { stdout } = await run(node, ['-e', `const root = ${JSON.stringify(root)};${PROGRAM}`]);
      assert.equal(stdout.trim(), 'works');
    });
  }
});
