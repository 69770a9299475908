/** Cuts a format's sound into the wire's frames; what was missed becomes a little silence and a skip. */
import { bytesPerSample, msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { silenceBefore } from '../audio/gaps';
import { FRAME_MS, type WireFrameMs } from '../protocol/stream-format';
import { allocateBinaryFrame } from './websocket-frame';

/** One frame, framed for the wire; shared by all listeners of its format. */
export interface WireFrame {
  /** WebSocket header and payload; with a ping after them where `probe` is set. */
  readonly bytes: Buffer;
  readonly probe: boolean;
  readonly payloadBytes: number;
  /** Index of the first sample since the format's stream began; what was skipped is counted. */
  readonly position: number;
  /** When the first sample was captured, epoch ms. */
  readonly time: number;
}

/** At most this much of a hole goes out as silence. */
const MAX_SILENCE_MS = 100;
/** How often we check whether chunks still end on borders. */
const ALIGN_WINDOW_MS = 200;
/** Less than this is not worth a skip. */
const MISALIGNED_MS = 1;

/**
 * Frame borders lie where the input's chunks end, so that no frame waits a chunk for its last samples: the
 * first frame, and the first after a skip, begin with as much silence as that takes. Chunks move against the
 * borders (a sink's blocks do, when a player comes or goes); in digital silence the borders follow, by a skip
 * that loses nothing.
 */
export class Packetizer {
  private readonly frameSamples: number;
  private readonly sampleBytes: number;
  private bytes: Buffer | undefined;
  private offset = 0;
  private held = 0;
  private heldPosition = 0;
  private heldTime = 0;
  /** Position just after the last sample taken; undefined before the first. */
  private end: number | undefined;
  private base = 0;
  /** The fewest samples held after any chunk since the borders were last judged. */
  private leastHeld = Infinity;
  private judgedSamples = 0;

  /** @param frameMs a whole number of samples */
  constructor(
    readonly format: PcmFormat,
    frameMs: WireFrameMs = FRAME_MS,
  ) {
    this.frameSamples = samplesInMs(format.sampleRate, frameMs);
    this.sampleBytes = bytesPerSample(format);
  }

  /** Takes the next stretch and returns the frames that it completes. */
  push(frame: PcmFrame): WireFrame[] {
    const out: WireFrame[] = [];
    if (frame.samples === 0) return out;
    const toBorder = this.frameSamples - (frame.samples % this.frameSamples);
    if (this.end === undefined) {
      this.base = frame.position - (toBorder % this.frameSamples);
      this.silence(toBorder % this.frameSamples, frame, out);
    } else if (frame.gap > 0) {
      this.fill(frame, toBorder, out);
    }
    this.append(frame, out);
    this.end = frame.position + frame.samples;
    this.align(frame.samples);
    return out;
  }

  /** Samples that stay held after every chunk make the sound late by as much: if they are silent, they are skipped. */
  private align(samples: number): void {
    this.leastHeld = Math.min(this.leastHeld, this.held);
    this.judgedSamples += samples;
    if (this.judgedSamples < samplesInMs(this.format.sampleRate, ALIGN_WINDOW_MS)) return;
    const late = this.leastHeld;
    this.judgedSamples = 0;
    this.leastHeld = Infinity;
    if (late < samplesInMs(this.format.sampleRate, MISALIGNED_MS) || !this.isHeldSilent()) return;
    this.held -= late;
    this.heldPosition += late;
    this.heldTime += msOfSamples(this.format.sampleRate, late);
  }

  private isHeldSilent(): boolean {
    return !this.bytes
      ?.subarray(this.offset, this.offset + this.held * this.sampleBytes)
      .some((byte) => byte !== 0);
  }

  /** A short hole is filled with silence; of a long one, only what reaches to the frame border on either side. */
  private fill(frame: PcmFrame, toBorder: number, out: WireFrame[]): void {
    const most = samplesInMs(this.format.sampleRate, MAX_SILENCE_MS);
    const lead = toBorder % this.frameSamples;
    const rest = (this.frameSamples - this.held) % this.frameSamples;
    if (frame.gap <= Math.max(most, lead + rest)) {
      this.silence(frame.gap, frame, out);
      return;
    }
    const whole = Math.max(0, Math.floor((most - lead - rest) / this.frameSamples)) * this.frameSamples;
    this.silence(rest + whole, frame, out, frame.gap);
    this.silence(lead, frame, out);
  }

  /** Puts in `samples` of silence that begin `before` samples (by default: as many) before `next`. */
  private silence(samples: number, next: PcmFrame, out: WireFrame[], before = samples): void {
    this.append(silenceBefore(next, samples, before), out);
  }

  private append(frame: PcmFrame, out: WireFrame[]): void {
    let start = 0;
    while (start < frame.samples) {
      const bytes = this.open(
        frame.position + start,
        frame.time + msOfSamples(this.format.sampleRate, start),
      );
      const taken = Math.min(frame.samples - start, this.frameSamples - this.held);
      const target = this.offset + this.held * this.sampleBytes;
      frame.data.copy(bytes, target, start * this.sampleBytes, (start + taken) * this.sampleBytes);
      this.advance(taken, out);
      start += taken;
    }
  }

  /** The frame under construction; a new one begins at `position`. */
  private open(position: number, time: number): Buffer {
    if (this.bytes) return this.bytes;
    const { bytes, offset } = allocateBinaryFrame(this.frameSamples * this.sampleBytes);
    this.bytes = bytes;
    this.offset = offset;
    this.heldPosition = position - this.base;
    this.heldTime = time;
    return bytes;
  }

  private advance(samples: number, out: WireFrame[]): void {
    this.held += samples;
    if (this.held < this.frameSamples || !this.bytes) return;
    out.push({
      bytes: this.bytes,
      probe: false,
      payloadBytes: this.frameSamples * this.sampleBytes,
      position: this.heldPosition,
      time: this.heldTime,
    });
    this.bytes = undefined;
    this.held = 0;
  }
}
