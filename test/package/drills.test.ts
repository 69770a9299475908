/** The drills of docs/extending.md: a transform and a source are added to a copy of this checkout, and work there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { nodeHtml } from '../../scripts/lib/node-html';
import { NODE_TYPES } from '../../scripts/lib/node-settings';
import { userDirectoryWithLink } from '../support/linked-package';
import { needs } from '../support/needs';
import { freePort, startNodeRed, type FlowNode, type NodeRed } from '../support/node-red';
import { formOf, openEditor, type Editor } from '../support/node-red-editor';
import { ROOT } from '../support/packed-package';
import { OWN_RUNTIME, type UserDirectory } from '../support/runtimes';
import { channelOf, measureTone } from '../support/tone';

const run = promisify(execFile);

const NOT_COPIED = ['node_modules', '.tmp', '.git', 'dist', 'bench'];
const PASSWORD = 'correct-horse';
const TONE_HZ = 1000;
/** Of the default format: 24 kHz mono, 16 bit. */
const BYTES_PER_MS = 48;
const SINE_AMPLITUDE = 0.5;
const TOLERANCE = 0.01;
const WHOLE_MS = 200;
const PATIENCE_MS = 20_000;
/** What holds for every node and source: these tests find a new one by its files. */
const TESTS_OF_ALL = ['test/nodes/settings-editor.test.ts', 'test/capture/sources.test.ts'];

/** A walk-through: the files that it adds, and the lines that it puts into files which are there. */
interface Drill {
  readonly heading: string;
  readonly fixture: string;
  readonly edits: readonly { readonly file: string; readonly after: string; readonly insert: string }[];
}

const TRANSFORM: Drill = {
  heading: 'A new transform',
  fixture: 'drill-transform',
  edits: [
    {
      file: 'package.json',
      after: '"nodes": {\n',
      insert: '"orgo-audio-gain": "dist/nodes/orgo-audio-gain/orgo-audio-gain.js",\n',
    },
  ],
};
const SOURCE: Drill = {
  heading: 'A new source',
  fixture: 'drill-source',
  edits: [
    {
      file: 'src/capture/sources.ts',
      after: "import { FLOW_SOURCE } from './flow-source';\n",
      insert: "import { SINE_SOURCE } from './sine';\n",
    },
    { file: 'src/capture/sources.ts', after: 'export const SOURCES = [', insert: 'SINE_SOURCE, ' },
  ],
};

function fixtureOf({ fixture }: Drill): string {
  return join(__dirname, 'fixtures', fixture);
}

async function filesOf(drill: Drill): Promise<string[]> {
  const entries = await readdir(fixtureOf(drill), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(fixtureOf(drill), join(entry.parentPath, entry.name)));
}

/** Follows a walk-through in the checkout at `root`. */
async function follow(drill: Drill, root: string): Promise<void> {
  for (const file of await filesOf(drill))
    assert.ok(!existsSync(join(root, file)), `${file} is there already`);
  await cp(fixtureOf(drill), root, { recursive: true });
  for (const { file, after: place, insert } of drill.edits) {
    const text = await readFile(join(root, file), 'utf8');
    assert.equal(text.split(place).length, 2, `${file} holds ${place} once`);
    await writeFile(join(root, file), text.replace(place, place + insert));
  }
}

/** The section of docs/extending.md under `heading`. */
async function sectionOf(heading: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'extending.md'), 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section, `docs/extending.md has no section "${heading}"`);
  return section;
}

/** The files that a walk-through lists, those to edit last. */
async function listedIn(heading: string): Promise<string[]> {
  return [...(await sectionOf(heading)).matchAll(/^- `([^`]+)`/gm)].map(([, file = '']) => file);
}

describe('docs/extending.md', () => {
  for (const drill of [TRANSFORM, SOURCE]) {
    test(`names the files of "${drill.heading}", and no others`, async () => {
      const edited = new Set(drill.edits.map(({ file }) => file));
      const listed = await listedIn(drill.heading);
      assert.deepEqual(listed.toSorted(), [...(await filesOf(drill)), ...edited].toSorted());
      const line = drill.edits[0]?.insert.trim() ?? '';
      assert.ok((await sectionOf(drill.heading)).includes(`\`${line}\``), line);
    });
  }

  test('names what each node has, under "A new node"', async () => {
    const listed = await listedIn('A new node');
    const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
    assert.equal(listed.length, 6);
    for (const type of NODE_TYPES) {
      const isConfig = nodeHtml(type).includes('orgoEditor.configNode');
      const files = listed.map((file) => file.replaceAll('<type>', type));
      const missing = files.filter((file) => !existsSync(join(ROOT, file)));
      assert.deepEqual(
        missing.filter((file) => !isConfig || !file.endsWith('.svg')),
        [],
      );
      assert.ok(manifest.includes(`"${type}": "dist/nodes/${type}/${type}.js"`), `${type} in package.json`);
    }
  });
});

/** Doubles three samples, and serves a sine. */
function flowOf(port: number): FlowNode[] {
  const make = `msg.payload = Buffer.alloc(8);
[0, 1000, -1000, 20000].forEach((sample, i) => msg.payload.writeInt16LE(sample, 2 * i));
msg.audio = { encoding: 's16le', sampleRate: 48000, channels: 1, position: 96 };
return msg;`;
  const show = `const samples = [0, 1, 2, 3].map((i) => msg.payload.readInt16LE(2 * i));
return { payload: { samples, position: msg.audio.position, sampleRate: msg.audio.sampleRate } };`;
  const place = { z: 'tab', x: 100, y: 100 };
  return [
    { id: 'tab', type: 'tab', label: 'drill' },
    { id: 'button', type: 'inject', ...place, props: [], once: false, wires: [['make']] },
    { id: 'make', type: 'function', ...place, func: make, outputs: 1, libs: [], wires: [['gain']] },
    {
      ...{ id: 'gain', type: 'orgo-audio-gain', ...place },
      gainDb: 20 * Math.log10(2),
      wires: [['show']],
    },
    { id: 'show', type: 'function', ...place, func: show, outputs: 1, libs: [], wires: [['out']] },
    { id: 'out', type: 'debug', name: 'out', ...place, active: true, tosidebar: true, complete: 'payload' },
    {
      ...{ id: 'server', type: 'orgo-audio-server', ...place, wires: [[]] },
      ...{ source: 'sine', toneHz: TONE_HZ, port, credentials: { password: PASSWORD } },
    },
  ];
}

/**
 * Hears the server at `port` until {@link WHOLE_MS} in a row are nothing but the tone, or for {@link PATIENCE_MS}: a
 * server that the machine holds up leaves holes, which are no fault of its source.
 * @returns amplitude of the best stretch, of full scale
 */
async function loudestTone(port: number): Promise<number> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/audio?token=${PASSWORD}`);
  let heard = Buffer.alloc(0);
  let best = 0;
  for await (const [data, isBinary] of on(webSocket, 'message', { close: ['close'] }) as AsyncIterable<
    [Buffer, boolean]
  >) {
    if (isBinary) heard = Buffer.concat([heard, data]);
    const newest = heard.subarray(-WHOLE_MS * BYTES_PER_MS);
    if (newest.length < WHOLE_MS * BYTES_PER_MS) continue;
    best = Math.max(best, measureTone(channelOf(newest, 1), { hz: TONE_HZ, sampleRate: 24000 }).amplitude);
    if (best > SINE_AMPLITUDE - TOLERANCE || heard.length > PATIENCE_MS * BYTES_PER_MS) break;
  }
  webSocket.terminate();
  return best;
}

/** Runs test files in the checkout at `root`; rejects where one fails, or where none ran. */
async function runTests(root: string, ...args: string[]): Promise<void> {
  // Inside a test, node:test would otherwise run no file at all, and call that a success.
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  const { stdout } = await run(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-reporter=tap', ...args],
    { cwd: root, env },
  );
  assert.match(stdout, /^# pass [1-9]/m);
}

/** Runs {@link TESTS_OF_ALL} in the checkout at `root`: resolves with what went wrong, or undefined. */
async function problemOfTests(root: string): Promise<unknown> {
  const runs = await Promise.allSettled([
    runTests(root, ...TESTS_OF_ALL),
    runTests(root, '--test-name-pattern=in one direction only', 'test/package/rooms.test.ts'),
  ]);
  return runs.find((result) => result.status === 'rejected')?.reason;
}

describe('a copy of this checkout in which the walk-throughs were followed', () => {
  let copy = '';
  let testing: Promise<unknown> | undefined;
  let userDir: UserDirectory | undefined;
  let nodeRed: NodeRed | undefined;
  let port = 0;

  before(async () => {
    copy = await mkdtemp(join(tmpdir(), 'orgo-drill-'));
    const skipped = NOT_COPIED.map((name) => join(ROOT, name));
    await cp(ROOT, copy, { recursive: true, filter: (path) => !skipped.includes(path) });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const drill of [TRANSFORM, SOURCE]) await follow(drill, copy);
    await run(process.execPath, ['scripts/build.mjs'], { cwd: copy });
    // They read what the build wrote, but need no Node-RED: both go on side by side.
    testing = problemOfTests(copy);
    userDir = await userDirectoryWithLink(copy);
    nodeRed = await startNodeRed({ ...OWN_RUNTIME, userDir: userDir.path });
    port = await freePort();
    await nodeRed.deploy(flowOf(port));
  });
  after(async () => {
    await nodeRed?.stop();
    await userDir?.remove();
    await testing;
    await rm(copy, { recursive: true, force: true });
  });

  test('has a node that makes sound twice as loud, clips it, and keeps its place', async () => {
    assert.ok(nodeRed);
    await nodeRed.press('button');
    const { msg } = await nodeRed.debug('out');
    assert.deepEqual(JSON.parse(msg), {
      samples: [0, 2000, -2000, 32767],
      position: 96,
      sampleRate: 48000,
    });
  });

  test('has a server that serves the tone of its new source', async () => {
    await nodeRed?.status('server', (text) => text === 'listening');
    const amplitude = await loudestTone(port);
    assert.ok(Math.abs(amplitude - SINE_AMPLITUDE) < TOLERANCE, `amplitude ${amplitude}`);
  });

  test('passes the tests that hold for every node and source', async () => {
    assert.ok(testing);
    assert.equal(await testing, undefined);
  });

  test('shows both in dialogs whose rows have labels', needs('chromium'), async () => {
    assert.ok(nodeRed);
    const editor = await openEditor(nodeRed.url);
    try {
      await editor.open('gain');
      const labels = await labelsIn(editor);
      assert.equal(labels.get('node-input-gainDb'), 'Gain, dB');
      assert.equal(labels.get('node-input-inputChannels'), 'Channels');
      assert.equal(
        await editor.page.locator('#node-input-inputChannels option').nth(1).innerText(),
        'stereo',
      );
      await editor.done();
      assert.deepEqual((await editor.node('gain')).problems, []);

      await editor.open('server');
      const chosen = editor.page.locator('#node-input-source option:checked');
      assert.equal(await chosen.innerText(), 'A sine');
      assert.equal((await labelsIn(editor)).get('node-input-toneHz'), 'Tone, Hz');
      assert.equal(await editor.page.locator('#node-input-toneHz').inputValue(), String(TONE_HZ));
      await editor.page.locator('#node-input-source').selectOption('test');
      assert.equal(await editor.page.locator('#node-input-toneHz').isVisible(), false);
    } finally {
      await editor.close();
    }
  });
});

/** The text of each label of the open dialog that is tied to a field in view, by the field's id. */
async function labelsIn(editor: Editor): Promise<Map<string, string>> {
  const labels = new Map<string, string>();
  for (const label of await editor.page.locator(`${formOf()} .form-row:visible label`).all()) {
    const id = await label.getAttribute('for');
    assert.ok(id && (await editor.page.locator(`#${id}`).isVisible()), `a label for ${id}`);
    labels.set(id, (await label.innerText()).trim());
  }
  return labels;
}
