/** A real MQTT broker: mosquitto, on a port of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, isPortTaken } from './node-red';
import { adopt, endChild } from './sound-clients';

const POLL_MS = 20;

export interface Mosquitto {
  readonly port: number;
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>;
  /** Starts it again at the same port: it has forgotten everything. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMosquitto(): Promise<Mosquitto> {
  const directory = await mkdtemp(join(tmpdir(), 'orgo-mqtt-'));
  const port = await freePort();
  const config = join(directory, 'mosquitto.conf');
  await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);

  async function launch(): Promise<ChildProcess> {
    const child = adopt(
      spawn('mosquitto', ['-c', config], {
        stdio: 'ignore',
        env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
      }),
    );
    while (!(await isPortTaken(port))) {
      if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
      await delay(POLL_MS);
    }
    return child;
  }
  let broker = await launch();
  return {
    port,
    kill: () => endChild(broker, 'SIGKILL'),
    async restart() {
      await endChild(broker, 'SIGKILL');
      broker = await launch();
    },
    async stop() {
      await endChild(broker, 'SIGKILL');
      await rm(directory, { recursive: true });
    },
  };
}
