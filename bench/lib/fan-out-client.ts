/** Starts fan-out servers in processes of their own, so that their CPU time is theirs alone. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Request, Usage } from './fan-out-server';

export type Mode = 'ours' | 'framed-once' | 'ws.send';

export class FanOutServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(mode: Mode): Promise<FanOutServer> {
    const child = fork(join(__dirname, 'fan-out-server.ts'), [mode], { execArgv: ['--import', 'tsx'] });
    const [port] = (await once(child, 'message')) as [number];
    return new FanOutServer(child, port);
  }

  get path(): string {
    return '/audio?token=bench';
  }

  async usage(): Promise<Usage> {
    const answer = once(this.child, 'message');
    this.ask('usage');
    const [usage] = (await answer) as [Usage];
    return usage;
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.ask('stop');
    await gone;
  }

  private ask(request: Request): void {
    this.child.send(request);
  }
}
