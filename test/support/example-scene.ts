/** A real Node-RED with the package, and a directory to record into: what the tests of the examples start from. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { userDirectoryWithLink } from './linked-package';
import { startNodeRed, type NodeRed } from './node-red';
import type { Runtime } from './runtimes';

export interface ExampleScene {
  readonly nodeRed: NodeRed;
  /** For what the examples read and write. */
  readonly directory: string;
  stop(): Promise<void>;
}

export async function startExampleScene(runtime: Runtime): Promise<ExampleScene> {
  const directory = await mkdtemp(join(tmpdir(), 'orgo-example-'));
  const userDir = await userDirectoryWithLink();
  const nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path });
  return {
    nodeRed,
    directory,
    stop: async () => {
      await nodeRed.stop();
      await userDir.remove();
      await rm(directory, { recursive: true });
    },
  };
}
