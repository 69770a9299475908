/** Captures a PulseAudio or PipeWire device for as long as it is wanted, whatever happens to the sound server. */
import { systemClock, type Clock } from '../../audio/clock';
import type { OrgoError } from '../../audio/errors';
import { sameState, type Source, type SourceSink, type SourceState } from '../source';
import type { CaptureDevice } from './devices';
import { silentError, unsupportedError } from './errors';
import type { CaptureFormat } from './record-stream';
import { openSession, type Session, type SessionEvents, type SessionOptions } from './session';
import { CaptureTimeline } from './timeline';

export interface PulseCaptureOptions {
  /** A sink's or source's name, pinned; blank: the default sink's monitor, followed when that changes. */
  readonly device: string;
  /** As PULSE_SERVER; blank: the environment's. */
  readonly pulseServer: string;
  /** Whether an idle null sink may be suspended and resumed, to get its first sound at once; true. */
  readonly kick?: boolean;
  /** The machine's. */
  readonly clock?: Clock;
  /** process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** process.platform */
  readonly platform?: string;
  /** Tests pass their own. */
  readonly openSession?: (options: SessionOptions, events: SessionEvents) => Session;
}

/** How much sound arrives at once, unless less is asked for. */
const FRAGMENT_MS = 10;
/** A device that is being recorded already, or a real one, has delivered by then. */
const KICK_AFTER_MS = 40;
/** A device that is still suspended then, kicked or not, stays so. */
const SUSPENDED_AFTER_MS = 200;
const START_LIMIT_MS = 5000;
const STALLED_AFTER_MS = 1000;
/** From then on, until the session is given up. */
const STALL_LIMIT_MS = 4000;
const FILL_EVERY_MS = 20;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 500;
/** A timer that fires this much too late says that it was our own process that stalled. */
const OWN_STALL_MS = 100;

type State =
  | { readonly kind: 'idle' }
  /** Connecting and looking for the device. */
  | { readonly kind: 'probing'; readonly session: Session }
  /** The stream is made, and nothing has arrived. */
  | { readonly kind: 'starting'; readonly session: Session; readonly device: CaptureDevice }
  | { readonly kind: 'running'; readonly session: Session; readonly device: CaptureDevice }
  /** Nothing has arrived for a second. */
  | { readonly kind: 'stalled'; readonly session: Session; readonly device: CaptureDevice }
  /** Someone suspended the device. */
  | { readonly kind: 'suspended'; readonly session: Session; readonly device: CaptureDevice }
  /** Waiting to try again. */
  | { readonly kind: 'backoff' };

/**
 * Once frames have flowed they go on, silent ones where there is no sound, until {@link stop}.
 * Frames come in the device's own rate, mono or stereo s16le, and follow its format when that changes.
 */
export class PulseCapture implements Source {
  private readonly clock: Clock;
  private state: State = { kind: 'idle' };
  private sink: SourceSink | undefined;
  private reported: SourceState = { kind: 'idle' };
  private timeline: CaptureTimeline;
  private backoffMs = FIRST_BACKOFF_MS;
  private fragmentMs = FRAGMENT_MS;
  private lastArrival = 0;
  /** The timer of the present state, and the one that fills with silence. */
  private cancelTimer: (() => void) | undefined;
  private cancelFill: (() => void) | undefined;

  constructor(private readonly options: PulseCaptureOptions) {
    this.clock = options.clock ?? systemClock;
    this.timeline = new CaptureTimeline(this.clock);
  }

  start(sink: SourceSink): void {
    this.stop();
    this.sink = sink;
    this.timeline = new CaptureTimeline(this.clock);
    this.backoffMs = FIRST_BACKOFF_MS;
    if (this.unsupported()) {
      this.report({ kind: 'lost', error: unsupportedError(this.platform) });
      return;
    }
    this.probe();
    this.report({ kind: 'starting' });
  }

  stop(): void {
    const sink = this.sink;
    this.sink = undefined;
    this.enter({ kind: 'idle' });
    this.cancelFill?.();
    this.cancelFill = undefined;
    if (this.reported.kind === 'idle') return;
    this.reported = { kind: 'idle' };
    sink?.onState(this.reported);
  }

  setChunk(ms: number): void {
    const fragmentMs = Math.min(FRAGMENT_MS, ms);
    if (fragmentMs === this.fragmentMs) return;
    this.fragmentMs = fragmentMs;
    sessionOf(this.state)?.setFragment(fragmentMs);
  }

  private probe(): void {
    const open = this.options.openSession ?? openSession;
    const session = open(
      {
        device: this.options.device,
        pulseServer: this.options.pulseServer,
        env: this.options.env ?? process.env,
        clock: this.clock,
        fragmentMs: this.fragmentMs,
      },
      {
        onStream: (device, format) => this.onStream(session, device, format),
        onAudio: (data) => this.onAudio(data),
        onDevice: (device) => this.onDevice(device),
        onEnd: (error) => this.onEnd(error),
      },
    );
    this.enter({ kind: 'probing', session });
  }

  private onStream(session: Session, device: CaptureDevice, format: CaptureFormat): void {
    this.timeline.begin(format);
    this.awaitSound(session, device);
  }

  private awaitSound(session: Session, device: CaptureDevice): void {
    this.enter({ kind: 'starting', session, device });
    this.later(KICK_AFTER_MS, () => {
      if (this.options.kick ?? true) session.kick();
      this.later(SUSPENDED_AFTER_MS, () => {
        if (this.state.kind === 'starting' && this.state.device.suspended)
          this.suspend(session, this.state.device);
        else this.later(START_LIMIT_MS, () => this.onEnd(silentError(device, START_LIMIT_MS)));
      });
    });
  }

  private onAudio(data: Buffer): void {
    this.lastArrival = this.clock.now();
    const { state, timeline } = this;
    const frame = timeline.place(data);
    if (state.kind === 'starting' || state.kind === 'stalled') {
      this.backoffMs = FIRST_BACKOFF_MS;
      this.run(state.session, state.device);
    }
    // The state's receiver may have stopped us, or started us again.
    if (frame && timeline === this.timeline) this.sink?.onFrame(frame);
  }

  private onDevice(device: CaptureDevice): void {
    switch (this.state.kind) {
      case 'starting':
        this.state = { ...this.state, device };
        break;
      case 'running':
      case 'stalled':
        if (device.suspended) this.suspend(this.state.session, device);
        else if (this.state.kind === 'running') this.run(this.state.session, device);
        else this.state = { ...this.state, device };
        break;
      case 'suspended':
        if (device.suspended) this.suspend(this.state.session, device);
        else this.resume(this.state.session, device);
        break;
      case 'idle':
      case 'probing':
      case 'backoff':
        break;
    }
  }

  private onEnd(error: OrgoError | undefined): void {
    // A session that never delivered is not begun again at once, or a device that comes and goes would spin.
    const delivered = this.state.kind !== 'probing' && this.state.kind !== 'starting';
    this.enter({ kind: 'backoff' });
    this.fill();
    if (!error && delivered) {
      this.probe();
      return;
    }
    this.later(this.backoffMs, () => this.probe());
    this.backoffMs = Math.min(this.backoffMs * 2, MAX_BACKOFF_MS);
    if (error) this.report({ kind: 'lost', error });
  }

  /** Sound arrives: the timers that wait for it end. */
  private run(session: Session, device: CaptureDevice): void {
    this.enter({ kind: 'running', session, device });
    this.watch();
    this.report({ kind: 'running', device: device.sourceName, muted: device.muted });
  }

  private suspend(session: Session, device: CaptureDevice): void {
    this.timeline.jump();
    this.enter({ kind: 'suspended', session, device });
    this.fill();
    this.report({ kind: 'suspended', device: device.sourceName });
  }

  /** The device is no longer suspended. */
  private resume(session: Session, device: CaptureDevice): void {
    this.timeline.jump();
    this.lastArrival = this.clock.now();
    if (this.timeline.running) this.run(session, device);
    else this.awaitSound(session, device);
  }

  /** Looks whether sound still arrives. */
  private watch(): void {
    const delay = Math.max(0, this.lastArrival + STALLED_AFTER_MS - this.clock.now());
    const due = this.clock.now() + delay;
    this.later(delay, () => {
      const now = this.clock.now();
      // What arrived while our own process stood still is only read after its timers.
      if (now - due > OWN_STALL_MS) this.later(OWN_STALL_MS, () => this.watch());
      else if (now - this.lastArrival >= STALLED_AFTER_MS) this.stall();
      else this.watch();
    });
  }

  private stall(): void {
    if (this.state.kind !== 'running') return;
    const { session, device } = this.state;
    this.enter({ kind: 'stalled', session, device });
    this.fill();
    const limit = STALLED_AFTER_MS + STALL_LIMIT_MS;
    this.later(STALL_LIMIT_MS, () => this.onEnd(silentError(device, limit)));
    this.report({ kind: 'lost', error: silentError(device, STALLED_AFTER_MS) });
  }

  /** Silence keeps the sample clock running until sound arrives again. */
  private fill(): void {
    if (this.cancelFill || !this.timeline.running) return;
    this.cancelFill = this.clock.after(FILL_EVERY_MS, () => {
      this.cancelFill = undefined;
      const frame = this.timeline.fill();
      if (frame) this.sink?.onFrame(frame);
      // The frame's receiver may have stopped us.
      if (this.state.kind !== 'running' && this.state.kind !== 'idle') this.fill();
    });
  }

  /** Leaves the present state with its timer and, unless it goes on, its session. */
  private enter(state: State): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const before = sessionOf(this.state);
    if (before !== sessionOf(state)) before?.close();
    this.state = state;
    if (state.kind !== 'running') return;
    this.cancelFill?.();
    this.cancelFill = undefined;
  }

  private later(delayMs: number, then: () => void): void {
    this.cancelTimer?.();
    this.cancelTimer = this.clock.after(delayMs, then);
  }

  /** Called last wherever a state changes, since its receiver may stop us. */
  private report(state: SourceState): void {
    if (sameState(this.reported, state)) return;
    this.reported = state;
    this.sink?.onState(state);
  }

  private get platform(): string {
    return this.options.platform ?? process.platform;
  }

  private unsupported(): boolean {
    const { pulseServer, env = process.env } = this.options;
    const isElsewhere = pulseServer !== '' || Boolean(env['PULSE_SERVER']);
    return !isElsewhere && (this.platform === 'darwin' || this.platform === 'win32');
  }
}

function sessionOf(state: State): Session | undefined {
  switch (state.kind) {
    case 'idle':
    case 'backoff':
      return undefined;
    case 'probing':
    case 'starting':
    case 'running':
    case 'stalled':
    case 'suspended':
      return state.session;
  }
}
