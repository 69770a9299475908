/** Decides what goes to Discord in each 20 ms of the monotonic clock, and with which RTP time. No timers in here. */
import { LiveQueue } from './live-queue';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  SILENCE_FRAME,
  SILENCE_FRAMES_AT_END,
  type SoundPacket,
} from './sound-packet';

/** A recording may be so long; the contract's bound. */
export const MAX_RECORDING_MS = 600_000;
/** A source that merely stops is filled with silence for so long. */
const FILL_MS = 1000;
/** Where nothing may leave, a recording waits for so long: later it would surprise. */
export const RECORDING_WAIT_MS = 30_000;
/** After a late wake-up so many frames go out at once; what was due before them is left out. */
const MAX_FRAMES_AT_ONCE = 2;

/** What happens to live sound that comes while a recording is spoken. */
export type LiveDuringRecording =
  /** It is left out, and heard again when the recording has ended. */
  | 'drop'
  /** It ends the recording. */
  | 'interrupt';

export interface PacerSettings {
  readonly maxQueueMs: number;
  readonly liveDuringRecording: LiveDuringRecording;
}

/** Where packets go. */
export interface PacerOutput {
  /** @param rtpTime samples at 48 kHz since the pacer began, on the wall clock's pace; the caller adds its own origin */
  send(opus: Buffer, rtpTime: number): void;
  setSpeaking(speaking: boolean): void;
}

export interface PacerStats {
  readonly sent: number;
  /** Packets of live sound left out, because they would have come late or nothing could leave. */
  readonly dropped: number;
  /** Packets of recordings that came. */
  readonly recorded: number;
  /** Of those, left out: beyond ten minutes, interrupted, or nothing could leave for too long. */
  readonly recordingDropped: number;
  /** Packets of live sound left out because a recording was spoken. */
  readonly skipped: number;
  /** Frames in which silence stood in for sound that had not come. */
  readonly missing: number;
  /** Silent packets left out or said twice, because of drift. */
  readonly adjusted: number;
  /** Live sound that waits, ms. */
  readonly queueMs: number;
  readonly recordingMs: number;
  readonly targetMs: number;
  /** Average wait in the last two seconds, ms; undefined right after a change. */
  readonly waitMs: number | undefined;
  /** Positive: the source's clock is fast. */
  readonly driftPpm: number | undefined;
  readonly speaking: boolean;
}

type Speech =
  | { readonly kind: 'idle' }
  | { readonly kind: 'speaking' }
  /** The silence frames at the end. */
  | { readonly kind: 'ending'; left: number };

interface Recorded {
  readonly packet: SoundPacket;
  readonly arrival: number;
}

/** Frame `n` is due `n` · 20 ms after the start and has the RTP time `n` · 960, whether it is sent or not. */
export class Pacer {
  private readonly live: LiveQueue;
  private recording: Recorded[] = [];
  private speech: Speech = { kind: 'idle' };
  private isOpen = false;
  private ended = false;
  private start: number | undefined;
  /** Frames whose time is over. */
  private frame = 0;
  private lastArrival = -Infinity;
  private sent = 0;
  private closedDropped = 0;
  private recorded = 0;
  private recordingDropped = 0;
  private skipped = 0;
  private missing = 0;

  constructor(
    private readonly settings: PacerSettings,
    private readonly output: PacerOutput,
  ) {
    this.live = new LiveQueue(settings.maxQueueMs);
  }

  /** When {@link tick} is to be called; undefined while there is nothing to do. */
  get nextDue(): number | undefined {
    const busy = this.speech.kind !== 'idle' || this.live.length > 0 || this.recording.length > 0;
    return busy && this.start !== undefined ? this.start + this.frame * FRAME_MS : undefined;
  }

  get stats(): PacerStats {
    return {
      sent: this.sent,
      dropped: this.live.dropped + this.closedDropped,
      recorded: this.recorded,
      recordingDropped: this.recordingDropped,
      skipped: this.skipped,
      missing: this.missing,
      adjusted: this.live.adjusted,
      queueMs: this.live.length * FRAME_MS,
      recordingMs: this.recording.length * FRAME_MS,
      targetMs: this.live.targetFrames * FRAME_MS,
      waitMs: this.live.waitMs,
      driftPpm: this.live.drift.ppm,
      speaking: this.speech.kind === 'speaking',
    };
  }

  /** Whether packets may leave. Closed, live sound is dropped as it comes, and recordings wait. */
  setOpen(open: boolean): void {
    if (this.isOpen === open) return;
    this.isOpen = open;
    if (open) return;
    this.live.clear();
    this.speech = { kind: 'idle' };
  }

  push(packet: SoundPacket, now: number): void {
    this.wake(now);
    this.lastArrival = now;
    this.ended = false;
    if (packet.live) this.pushLive(packet, now);
    else this.pushRecorded(packet, now);
  }

  /** The source has ended: what waits is spoken, then the speaking ends without a second of silence. */
  end(): void {
    this.ended = true;
  }

  /** Sends what is due at `now`. */
  tick(now: number): void {
    if (this.start === undefined) return;
    const due = Math.floor((now - this.start) / FRAME_MS) + 1;
    this.frame = Math.max(this.frame, due - MAX_FRAMES_AT_ONCE);
    for (; this.frame < due; this.frame++) this.speak(now);
  }

  private pushLive(packet: SoundPacket, now: number): void {
    if (this.recording.length > 0) {
      if (this.settings.liveDuringRecording === 'drop') {
        this.skipped++;
        return;
      }
      this.dropRecording();
    }
    if (this.isOpen) this.live.push(packet, now);
    else this.closedDropped++;
  }

  private pushRecorded(packet: SoundPacket, now: number): void {
    this.recorded++;
    if (this.recording.length * FRAME_MS >= MAX_RECORDING_MS) this.recordingDropped++;
    else this.recording.push({ packet, arrival: now });
  }

  /** After a pause, the frames meanwhile are over. */
  private wake(now: number): void {
    // Whole, so that a tick at just the time when a frame is due never finds it a rounding error too early.
    this.start ??= Math.floor(now);
    if (this.nextDue === undefined)
      this.frame = Math.max(this.frame, Math.ceil((now - this.start) / FRAME_MS));
  }

  private speak(now: number): void {
    if (!this.isOpen) {
      this.expireRecording(now);
      return;
    }
    const recorded = this.recording.shift();
    if (recorded) {
      this.say(recorded.packet.opus);
      return;
    }
    const turn = this.live.next(now, this.ended);
    switch (turn.kind) {
      case 'send':
        this.say(turn.packet.opus);
        return;
      case 'stretch':
        this.say(SILENCE_FRAME);
        return;
      case 'missing':
        this.fill(now);
    }
  }

  private say(opus: Buffer): void {
    if (this.speech.kind !== 'speaking') {
      this.speech = { kind: 'speaking' };
      this.output.setSpeaking(true);
    }
    this.transmit(opus);
  }

  /** Nothing has come for this frame. */
  private fill(now: number): void {
    switch (this.speech.kind) {
      case 'idle':
        return;
      case 'speaking':
        if (!this.ended && now - this.lastArrival < FILL_MS) {
          this.missing++;
          this.transmit(SILENCE_FRAME);
          return;
        }
        this.speech = { kind: 'ending', left: SILENCE_FRAMES_AT_END };
        this.endStep(this.speech);
        return;
      case 'ending':
        this.endStep(this.speech);
    }
  }

  private endStep(ending: { left: number }): void {
    this.transmit(SILENCE_FRAME);
    if (--ending.left > 0) return;
    this.speech = { kind: 'idle' };
    this.live.endSource();
    this.output.setSpeaking(false);
  }

  private transmit(opus: Buffer): void {
    this.sent++;
    this.output.send(opus, this.frame * FRAME_SAMPLES);
  }

  private expireRecording(now: number): void {
    const [oldest] = this.recording;
    if (oldest && now - oldest.arrival >= RECORDING_WAIT_MS) this.dropRecording();
  }

  private dropRecording(): void {
    this.recordingDropped += this.recording.length;
    this.recording = [];
  }
}
