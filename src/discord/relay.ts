/** The relay process as Node-RED's process sees it: started, fed, drained, and certainly ended. */
import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  writePacket,
  type FromRelay,
  type RelayFailure,
  type RelayStart,
  type ToRelay,
} from './relay-messages';
import type { SoundPacket } from './sound-packet';

/** A relay that was told to leave is killed after this. */
const LEAVE_TIMEOUT_MS = 2000;
/** Packets on their way to a relay that does not take them; two seconds of live sound. */
const MAX_LIVE_IN_FLIGHT = 100;
/** It makes little garbage: a small nursery saves it 8 of 113 MB, and costs nothing (docs/decisions/discord.md). */
const V8_FLAGS = ['--max-semi-space-size=2'];
/** Of its output the end is kept, for the reason of a crash. Characters. */
const OUTPUT_KEPT = 2000;

/** How the process is started; for tests, which run TypeScript, and another Node.js. */
export interface RelayProgram {
  readonly modulePath: string;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** In place of node:child_process's. */
  readonly fork?: (modulePath: string, args: readonly string[], options: ForkOptions) => ChildProcess;
}

/** Beside this file, by the Node.js that runs us, with our environment: NODE_EXTRA_CA_CERTS among it. */
export function ownProgram(): RelayProgram {
  return {
    modulePath: join(__dirname, `relay-process${extname(__filename)}`),
    execPath: process.execPath,
    // An --inspect of Node-RED's would ask for the same port.
    execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
    env: process.env,
  };
}

export interface RelayEvents {
  message(message: Exclude<FromRelay, { kind: 'failed' }>): void;
  /** Once, last of all; undefined where it was told to leave. */
  ended(failure: RelayFailure | undefined): void;
}

export class Relay {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly killWithUs = (): void => void this.child.kill('SIGKILL');
  private failure: RelayFailure | undefined;
  private output = '';
  private leaving = false;
  private inFlight = 0;
  /** Live packets that the relay did not take in time. */
  dropped = 0;

  constructor(
    private readonly start: RelayStart,
    private readonly events: RelayEvents,
    program: RelayProgram = ownProgram(),
  ) {
    this.child = (program.fork ?? fork)(program.modulePath, [], {
      execPath: program.execPath,
      execArgv: [...V8_FLAGS, ...program.execArgv],
      env: program.env,
      // Buffers cross as bytes, not as JSON.
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.keepEnd(this.child.stdout);
    this.keepEnd(this.child.stderr);
    this.child.on('message', (message) => this.onMessage(message as FromRelay));
    this.exited = new Promise<void>((resolve) => {
      this.child.once('error', (error) => {
        this.failure ??= this.crash(`could not be started: ${error.message}`);
        resolve();
      });
      this.child.once('close', (code, signal) => {
        if (!this.leaving) this.failure ??= this.crash(`ended with ${signal ?? `code ${code ?? '?'}`}`);
        resolve();
      });
    }).then(() => this.onExit());
    process.on('exit', this.killWithUs);
    this.send(start);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Told to leave: what it still says is of no use. */
  get isLeaving(): boolean {
    return this.leaving;
  }

  send(message: ToRelay): void {
    // That the relay has gone is reported by `ended`, not by an exception here.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  play(packet: SoundPacket): void {
    if (!this.child.connected) return;
    if (packet.live && this.inFlight >= MAX_LIVE_IN_FLIGHT) {
      this.dropped++;
      return;
    }
    this.inFlight++;
    this.child.send(writePacket(packet), () => this.inFlight--);
  }

  /** Leaves the channel and ends; killed where that takes too long. */
  async leave(): Promise<void> {
    this.leaving = true;
    this.send({ kind: 'leave' });
    const timer = setTimeout(this.killWithUs, LEAVE_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private onMessage(message: FromRelay): void {
    if (message.kind === 'failed') {
      this.failure ??= { ...message.failure, text: this.redact(message.failure.text) };
      // It ends by itself; where it does not, it is ended.
      setTimeout(this.killWithUs, LEAVE_TIMEOUT_MS).unref();
    } else this.events.message(message);
  }

  private onExit(): void {
    process.off('exit', this.killWithUs);
    this.events.ended(this.leaving ? undefined : this.failure);
  }

  private crash(what: string): RelayFailure {
    const lines = this.output.trim().split('\n');
    const reason = lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
    const text = `The process that speaks with Discord ${what}${reason === '' ? '' : `: ${reason.trim()}`}`;
    return { code: 'ORGO_DISCORD_FAILED', text: this.redact(text), then: 'retry' };
  }

  private keepEnd(stream: Readable | null): void {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-OUTPUT_KEPT);
    });
  }

  private redact(text: string): string {
    return text.replaceAll(this.start.token, '***');
  }
}
