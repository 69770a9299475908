/** Listens to a source of sound, keeps what it said, and waits for what a test expects of it. */
import assert from 'node:assert/strict';
import { levelOf } from '../../src/audio/samples';
import type { PcmFrame } from '../../src/audio/frame';
import type { Source, SourceState } from '../../src/capture/source';

/** Nothing in a test takes longer, on any machine: what has not come by then never will. */
const WAIT_LIMIT_MS = 120_000;

interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

export class CaptureRecorder {
  readonly frames: PcmFrame[] = [];
  readonly states: SourceState[] = [];
  private waiters: Waiter[] = [];

  constructor(private readonly source: Source) {}

  /** Starts the source; {@link stop} ends it. */
  start(): this {
    this.source.start({
      onFrame: (frame) => {
        this.frames.push(frame);
        this.look();
      },
      onState: (state) => {
        this.states.push(state);
        this.look();
      },
    });
    return this;
  }

  stop(): void {
    this.source.stop();
  }

  get state(): SourceState | undefined {
    return this.states.at(-1);
  }

  /** How long all frames and gaps are, in seconds, counted at the rate of the last frame. */
  get seconds(): number {
    const last = this.frames.at(-1);
    return last ? (last.position + last.samples) / last.format.sampleRate : 0;
  }

  /** Resolves once `holds`, looked at with each frame and state. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        const kinds = this.states.map((state) => (state.kind === 'lost' ? state.error.message : state.kind));
        reject(new Error(`never came: ${what}; states: ${kinds.join(', ')}; frames: ${this.frames.length}`));
      }, WAIT_LIMIT_MS);
      this.waiters.push({
        holds,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  untilState(kind: SourceState['kind']): Promise<void> {
    return this.until(kind, () => this.state?.kind === kind);
  }

  /** Resolves after `seconds` more of sound, silence and gaps. */
  async more(seconds: number): Promise<void> {
    const end = this.seconds + seconds;
    await this.until(`${seconds} s more`, () => this.seconds >= end);
  }

  /** Resolves once a frame that comes from now on holds more than digital silence. */
  async untilSound(): Promise<void> {
    const from = this.frames.length;
    await this.until('sound', () => this.frames.slice(from).some((frame) => !isSilent(frame)));
  }

  /** Positions go on without a hole but for gaps, within each run of one format. */
  assertUnbroken(): void {
    let before: PcmFrame | undefined;
    for (const frame of this.frames) {
      assert.ok(frame.samples > 0 && frame.gap >= 0);
      if (before?.format.sampleRate === frame.format.sampleRate) {
        assert.equal(frame.position, before.position + before.samples + frame.gap);
      }
      before = frame;
    }
    assert.equal(this.frames[0]?.position, 0);
  }

  private look(): void {
    const held = this.waiters.filter((waiter) => waiter.holds());
    this.waiters = this.waiters.filter((waiter) => !held.includes(waiter));
    for (const waiter of held) waiter.resolve();
  }
}

/** Whether a frame holds nothing but zeros. */
export function isSilent(frame: PcmFrame): boolean {
  return levelOf(frame.data, frame.format.encoding).peak === 0;
}
