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

/** The checks of node-red-dev 0.1.6 that are about this package alone; a scorecard without one was cut short. */
const CHECKS = ['P01', 'P03', 'P04', 'P05', 'P06', 'P07', 'P08', 'N01', 'N02', 'D01'];
/** Those whose answer hangs on what a registry holds today: they are printed. */
const TODAYS_CHECKS = ['D02', 'D03'];
/** The oldest Node that package.json admits. */
const OLDEST_NODE = 20;

interface Manifest {
  readonly version: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly 'node-red': { readonly nodes: Readonly<Record<string, string>> };
}

async function manifestOf(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
}

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
      ...['--require', join(__dirname, 'fixtures', 'pinned-registries.cjs')],
      join(ROOT, 'node_modules', 'node-red-dev', 'bin', 'run'),
      ...['validate', '--path', join(directory, 'package'), '--output', output],
    ]);
    scorecard = JSON.parse(await readFile(output, 'utf8')) as Scorecard;
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('holds every check', (t) => {
    for (const check of TODAYS_CHECKS) t.diagnostic(`${check} today: ${JSON.stringify(scorecard[check])}`);
    const checks = Object.keys(scorecard).filter((key) => key !== 'package' && !TODAYS_CHECKS.includes(key));
    assert.deepEqual(checks.sort(), [...CHECKS].sort());
  });

  for (const check of CHECKS) {
    test(`passes ${check}`, () =>
      assert.equal(scorecard[check]?.test, true, JSON.stringify(scorecard[check])));
  }

  test('every dependency runs on the oldest Node that we admit, in the version that the lock file names', async () => {
    const { dependencies } = await manifestOf(ROOT);
    for (const name of Object.keys(dependencies)) {
      const { engines, version } = await manifestOf(join(ROOT, 'node_modules', name));
      const oldest = Number(/\d+/.exec(engines?.node ?? '0')?.[0]);
      assert.ok(oldest <= OLDEST_NODE, `${name} ${version} wants Node ${engines?.node ?? ''}`);
    }
  });

  test('finds an example for each node that is no config node', async () => {
    const manifest = await manifestOf(ROOT);
    const types = Object.keys(manifest['node-red'].nodes).filter((type) => type !== 'orgo-computer');
    assert.deepEqual(scorecard['N02']?.nodes?.sort(), types.sort());
  });
});
