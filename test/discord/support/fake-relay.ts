/** A relay process that is none, and speaks with nobody: it says what a real one says, and counts what it is given. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { RelayProgram } from '../../../src/discord/relay';
import type { Encryption, FromRelay, RelayFailure, ToRelay } from '../../../src/discord/relay-messages';

interface Behaviour {
  readonly encryption?: Encryption;
  /** With what the log-in fails. */
  readonly failure?: RelayFailure;
}

/** For what needs a relay, and not a process: each start makes a new one. */
export function fakeRelay(behaviour: Behaviour = {}): RelayProgram {
  const fork = (): ChildProcess => new FakeProcess(behaviour) as unknown as ChildProcess;
  return { fork, modulePath: '', execPath: '', execArgv: [], env: {} };
}

/** As much of a child process as its owner uses. What crosses comes later, as between processes. */
class FakeProcess extends EventEmitter {
  readonly stdout = null;
  readonly stderr = null;
  readonly pid = process.pid;
  connected = true;
  private channelId = '';
  private readonly counts = { live: 0, recorded: 0, ends: 0 };

  constructor(private readonly behaviour: Behaviour) {
    super();
  }

  send(message: ToRelay | Uint8Array, sent: () => void): void {
    setImmediate(() => {
      sent();
      if (this.connected) this.onMessage(message);
    });
  }

  kill(): void {
    this.exit(null, 'SIGKILL');
  }

  private onMessage(message: ToRelay | Uint8Array): void {
    if (message instanceof Uint8Array) {
      if (((message[0] ?? 0) & 1) === 1) this.counts.live++;
      else this.counts.recorded++;
      this.tellStats();
      return;
    }
    switch (message.kind) {
      case 'start':
        this.channelId = message.channelId;
        if (this.behaviour.failure) {
          this.tell({ kind: 'failed', failure: this.behaviour.failure });
          this.exit(1);
          return;
        }
        this.tell({ kind: 'state', state: { step: 'joining' } });
        this.tellReady();
        return;
      case 'move':
        this.tell({ kind: 'moved', from: this.channelId, to: message.channelId });
        this.channelId = message.channelId;
        this.tellReady();
        return;
      case 'end':
        this.counts.ends++;
        this.tellStats();
        return;
      case 'leave':
        // What a real one may still say while it leaves.
        this.tellReady();
        this.tell({ kind: 'state', state: { step: 'reconnecting', why: 'leaving' } });
        this.tellStats();
        this.exit(0);
    }
  }

  private tellReady(): void {
    const { encryption = 'active' } = this.behaviour;
    this.tell({ kind: 'state', state: { step: 'ready', channelId: this.channelId, encryption } });
  }

  /** Live packets as `sent`, recorded ones as they are, and the ends as `skipped`. */
  private tellStats(): void {
    const { live, recorded, ends } = this.counts;
    const none = { dropped: 0, recordingDropped: 0, missing: 0, adjusted: 0, queueMs: 0 };
    const unknown = { targetMs: 40, waitMs: undefined, driftPpm: undefined, speaking: live > 0 };
    const counts = { sent: live, recorded, recordingMs: recorded * 20, skipped: ends };
    this.tell({ kind: 'stats', stats: { ...none, ...unknown, ...counts } });
  }

  private tell(message: FromRelay): void {
    setImmediate(() => this.emit('message', message));
  }

  private exit(code: number | null, signal: string | null = null): void {
    if (!this.connected) return;
    this.connected = false;
    setImmediate(() => this.emit('close', code, signal));
  }
}
