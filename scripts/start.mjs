/**
 * `npm start`: installs, builds, and runs Node-RED with this package and the flow "Hear this computer".
 * Its user directory is .tmp/node-red, or what ORGO_USER_DIR names: delete it to start over.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deployHelloFlow } from './lib/hello-flow.mjs';
import { isBuilt } from './lib/built.mjs';
import { ensureDependencies } from './lib/install.mjs';
import { dependency, Failure, ROOT, run, runMain } from './lib/run.mjs';
import { probeSound } from './lib/sound.mjs';

const PACKAGE = 'node-red-contrib-orgo-audio';
const HOST = '127.0.0.1';
const DEFAULT_PORT = 1880;
/** Of the flow that we deploy. */
const LISTEN = `  Listen http://${HOST}:8765/listen, with the password that the flow's tab has as ORGO_AUDIO_PASSWORD\n`;
const USER_DIR = process.env.ORGO_USER_DIR || join(ROOT, '.tmp', 'node-red');

runMain(async () => {
  const port = readPort(process.env.PORT);
  await ensurePortIsFree(port);
  await ensureDependencies();
  if (!isBuilt()) {
    console.log('Building …');
    await run(process.execPath, ['scripts/build.mjs'], { quiet: true });
  }
  await prepareUserDir(port);

  const nodeRed = spawn(
    process.execPath,
    [dependency('node-red/red.js'), '--userDir', USER_DIR, '--settings', join(USER_DIR, 'settings.js')],
    { cwd: ROOT, stdio: 'inherit' },
  );
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => void nodeRed.kill(signal));
  }
  nodeRed.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
  const url = `http://${HOST}:${port}/`;
  if (!(await untilItAnswers(`${url}flows`, nodeRed))) return;
  try {
    const sound = await probeSound();
    const record = join(USER_DIR, 'hello-flow.json');
    const isOurs = await deployHelloFlow(url, record, sound.found ? 'pulse' : 'test');
    greet(url, sound.text, isOurs);
  } catch (error) {
    nodeRed.kill();
    throw error;
  }
});

/** @param {string | undefined} text */
function readPort(text) {
  const port = text === undefined || text === '' ? DEFAULT_PORT : Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Failure(`PORT is "${text}": it must be a number from 1 to 65535.`);
  }
  return port;
}

/** @param {number} port */
function ensurePortIsFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', (error) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is taken by another program' : `can't be used: ${error.message}`;
      reject(new Failure(`Port ${port} of ${HOST} ${why}. Choose another one: PORT=${port + 1} npm start`));
    });
    server.listen(port, HOST, () => server.close(resolve));
  });
}

/** A user directory in which this checkout is an installed package. @param {number} port */
async function prepareUserDir(port) {
  const modules = join(USER_DIR, 'node_modules');
  await mkdir(modules, { recursive: true });
  await rm(join(modules, PACKAGE), { force: true });
  await symlink(ROOT, join(modules, PACKAGE), 'junction');
  const manifest = { name: 'hear-this-computer', private: true, dependencies: { [PACKAGE]: 'file:../..' } };
  await writeFile(join(USER_DIR, 'package.json'), JSON.stringify(manifest));
  const settings = {
    uiHost: HOST,
    uiPort: port,
    flowFile: 'flows.json',
    // Nothing leaves this machine unasked.
    telemetry: { enabled: false, updateNotification: false },
    credentialSecret: await credentialSecret(),
    editorTheme: { tours: false, page: { title: 'Hear this computer' } },
  };
  await writeFile(join(USER_DIR, 'settings.js'), `module.exports = ${JSON.stringify(settings, null, 2)};\n`, {
    mode: 0o600,
  });
}

/** Made at the first start: Node-RED encrypts with it what is typed into password fields. */
async function credentialSecret() {
  const file = join(USER_DIR, 'credential-secret');
  if (!existsSync(file)) await writeFile(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFile(file, 'utf8');
}

/**
 * @param {string} url @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<boolean>} false where the child ended first
 */
async function untilItAnswers(url, child) {
  while (child.exitCode === null && child.signalCode === null) {
    const answers = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) return true;
    await delay(100);
  }
  return false;
}

/** @param {string} url @param {string} sound @param {boolean} isOurs */
function greet(url, sound, isOurs) {
  const flow = isOurs
    ? 'Hear this computer. What you change in it is kept for the next start.'
    : `as you left it. To start over, delete ${USER_DIR}.`;
  console.log(`
  Open   ${url} and its sidebar's tab Audio (the headphones): press Play, and hear it.
${isOurs ? LISTEN : ''}  Sound  ${sound}
  Flow   ${flow}
  Stop   Ctrl-C
`);
}
