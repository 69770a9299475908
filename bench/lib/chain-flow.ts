/** A real Node-RED whose flow hears many streams and sends them all through one chain; it tells its CPU time. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/node-red';
import { OWN_RUNTIME } from '../../test/support/runtimes';
import { ROOT } from '../../test/support/packed-package';

const PASSWORD = 'bench';
const PACKAGE = 'node-red-contrib-orgo-audio';

/** A node of the chain: its type, and what differs from its defaults. */
export interface Link {
  readonly type: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface ChainReport {
  /** User and system time of the process. */
  readonly cpuMs: number;
  /** Messages that left the chain. */
  readonly messages: number;
  /** Samples per channel that these messages told to be missing. */
  readonly gapSamples: number;
  readonly rssBytes: number;
}

export interface ChainFlow {
  report(): Promise<ChainReport>;
  stop(): Promise<void>;
}

/**
 * @param audioPort of the server that all streams are heard from
 * @param chain behind the `orgo-audio-in` nodes; the first output of each goes into the next
 */
export async function startChainFlow(
  audioPort: number,
  streams: number,
  chain: readonly Link[],
): Promise<ChainFlow> {
  const userDir = await mkdtemp(join(tmpdir(), 'orgo-bench-'));
  const settingsFile = join(userDir, 'settings.js');
  await mkdir(join(userDir, 'node_modules'));
  await symlink(ROOT, join(userDir, 'node_modules', PACKAGE));
  await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow(audioPort, streams, chain)));
  await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify({ computer: { password: PASSWORD } }));
  await writeFile(settingsFile, settings(await freePort()));
  const child = fork(OWN_RUNTIME.red, ['--userDir', userDir, '--settings', settingsFile], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    async report() {
      const answer = once(child, 'message');
      child.send('report');
      const [report] = (await answer) as [ChainReport];
      return report;
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

function flow(port: number, streams: number, chain: readonly Link[]): object[] {
  const ids = [...chain.map((_, i) => `link${i}`), 'end'];
  const links = chain.map(({ type, settings }, i) => {
    const outputs = type === 'orgo-audio-vad' ? [[], []] : [];
    return { id: ids[i], type, z: 'tab', ...settings, wires: [[ids[i + 1]], ...outputs] };
  });
  const ears = Array.from({ length: streams }, (_, i) => ({
    ...{ id: `in${i}`, type: 'orgo-audio-in', z: 'tab', computer: 'computer' },
    wires: [[ids[0]], []],
  }));
  const end = { id: 'end', type: 'function', z: 'tab', func: "global.get('onEnd')(msg);", outputs: 0 };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'computer', type: 'orgo-computer', audioUrl: `ws://127.0.0.1:${port}/audio` },
    ...ears,
    ...links,
    { ...end, wires: [] },
  ];
}

/** Node-RED's settings file; what the function node calls lives here, outside its sandbox. */
function settings(uiPort: number): string {
  return `
    let [messages, gapSamples] = [0, 0];
    function onEnd({ audio }) {
      messages += 1;
      gapSamples += audio.gap;
    }
    process.on('message', () => {
      const { user, system } = process.cpuUsage();
      const rssBytes = process.memoryUsage().rss;
      process.send({ cpuMs: (user + system) / 1000, messages, gapSamples, rssBytes });
    });
    module.exports = {
      uiHost: '127.0.0.1', uiPort: ${uiPort}, flowFile: 'flows.json', credentialSecret: false,
      telemetry: { enabled: false, updateNotification: false },
      functionGlobalContext: { onEnd },
    };`;
}
