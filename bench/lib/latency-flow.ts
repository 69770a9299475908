/** A real Node-RED that serves a sink and hears it again; it tells of each impulse that its flow receives. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { freePort } from '../../test/support/node-red';
import { OWN_RUNTIME } from '../../test/support/runtimes';
import { ROOT } from '../../test/support/packed-package';

const PASSWORD = 'bench';
const PACKAGE = 'node-red-contrib-orgo-audio';

/** An impulse that arrived in the flow; ms on the machine's monotonic clock. */
export interface HeardImpulse {
  /** When the message came out of `orgo-audio-in`. */
  readonly heardMs: number;
  /** When, by `msg.audio.time`, its first sample was captured. */
  readonly capturedMs: number;
}

export interface FlowReport {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly messages: number;
  /** Samples that the messages told to be missing. */
  readonly gapSamples: number;
}

export interface LatencyFlow {
  readonly impulses: HeardImpulse[];
  report(): Promise<FlowReport>;
  stop(): Promise<void>;
}

export async function startLatencyFlow(
  pulseServer: string,
  env: Readonly<Record<string, string>>,
  frameMs = 20,
): Promise<LatencyFlow> {
  const userDir = await mkdtemp(join(tmpdir(), 'orgo-bench-'));
  const [editorPort, audioPort] = [await freePort(), await freePort()];
  await mkdir(join(userDir, 'node_modules'));
  await symlink(ROOT, join(userDir, 'node_modules', PACKAGE));
  await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow(pulseServer, audioPort, frameMs)));
  const credentials = { server: { password: PASSWORD }, computer: { password: PASSWORD } };
  await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(credentials));
  await writeFile(join(userDir, 'settings.js'), settings(editorPort));
  const finder = await readFile(join(__dirname, 'impulses.ts'), 'utf8');
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 };
  await writeFile(join(userDir, 'impulses.js'), transpileModule(finder, { compilerOptions }).outputText);
  const child = fork(OWN_RUNTIME.red, ['--userDir', userDir, '--settings', join(userDir, 'settings.js')], {
    env: { ...process.env, ...env },
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const impulses: HeardImpulse[] = [];
  child.on('message', (message: HeardImpulse | FlowReport) => {
    if ('heardMs' in message) impulses.push(message);
  });
  return {
    impulses,
    report: () => ask(child),
    async stop() {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

async function ask(child: ChildProcess): Promise<FlowReport> {
  child.send('report');
  for (;;) {
    const [message] = (await once(child, 'message')) as [HeardImpulse | FlowReport];
    if ('rssBytes' in message) return message;
  }
}

function flow(pulseServer: string, port: number, frameMs: number): object[] {
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'server', type: 'orgo-audio-server', z: 'tab', source: 'pulse', pulseServer, port, wires: [[]] },
    { id: 'computer', type: 'orgo-computer', audioUrl: `ws://127.0.0.1:${port}/audio` },
    { id: 'in', type: 'orgo-audio-in', z: 'tab', computer: 'computer', frameMs, wires: [['heard'], []] },
    { id: 'heard', type: 'function', z: 'tab', func: "global.get('onAudio')(msg);", outputs: 0, wires: [] },
  ];
}

/** Node-RED's settings file; what the function node calls lives here, outside its sandbox. */
function settings(uiPort: number): string {
  return `
    const { ImpulseFinder } = require('./impulses.js');
    const finder = new ImpulseFinder(24000);
    const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;
    let [messages, gapSamples] = [0, 0];
    function onAudio({ payload, audio }) {
      const heardMs = monotonicMs();
      const epochToMonotonic = heardMs - (performance.timeOrigin + performance.now());
      messages += 1;
      gapSamples += audio.gap;
      for (const index of finder.push(payload)) {
        process.send({ heardMs, capturedMs: audio.time + index / 24 + epochToMonotonic });
      }
    }
    process.on('message', () => {
      gc();
      const { rss, heapUsed } = process.memoryUsage();
      process.send({ rssBytes: rss, heapBytes: heapUsed, messages, gapSamples });
    });
    module.exports = {
      uiHost: '127.0.0.1', uiPort: ${uiPort}, flowFile: 'flows.json', credentialSecret: false,
      telemetry: { enabled: false, updateNotification: false },
      functionGlobalContext: { onAudio },
    };`;
}
