/** The flow library's scorecard, as its own tool (node-red-dev) judges the packed package. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { packPackage, ROOT } from '../support/packed-package';

const run = promisify(execFile);

/** The part of the tool's JSON that is looked at: an entry a check, beside one that names the package. */
type Scorecard = Record<string, { test?: boolean; packages?: string[]; nodes?: string[] }>;

/** Every check of node-red-dev 0.1.6; a scorecard without one of them was cut short. */
const CHECKS = ['P01', 'P03', 'P04', 'P05', 'P06', 'P07', 'P08', 'N01', 'N02', 'D01', 'D02', 'D03'];

describe('the scorecard of the flow library', () => {
  let directory = '';
  let scorecard: Scorecard = {};
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orgo-scorecard-'));
    const packed = await packPackage();
    await run('tar', ['-xzf', packed.file, '-C', directory]);
    await packed.remove();
    const output = join(directory, 'scorecard.json');
    // Its exit code is 0 even when checks fail: only the JSON tells.
    await run(process.execPath, [
      ...['--require', join(__dirname, 'fixtures', 'empty-catalogue.cjs')],
      join(ROOT, 'node_modules', 'node-red-dev', 'bin', 'run'),
      ...['validate', '--path', join(directory, 'package'), '--output', output],
    ]);
    scorecard = JSON.parse(await readFile(output, 'utf8')) as Scorecard;
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('holds every check', () => {
    const checks = Object.keys(scorecard).filter((check) => check !== 'package');
    assert.deepEqual(checks.sort(), [...CHECKS].sort());
  });

  for (const check of CHECKS.filter((name) => name !== 'D03')) {
    test(`passes ${check}`, () =>
      assert.equal(scorecard[check]?.test, true, JSON.stringify(scorecard[check])));
  }

  test('finds each dependency at its latest version, but undici, whose version 8 needs Node 22', () => {
    assert.deepEqual(scorecard['D03'], { test: false, packages: ['undici'] });
  });

  test('finds an example for each node that is no config node', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      'node-red': { nodes: Record<string, string> };
    };
    const types = Object.keys(manifest['node-red'].nodes).filter((type) => type !== 'orgo-computer');
    assert.deepEqual(scorecard['N02']?.nodes?.sort(), types.sort());
  });
});
