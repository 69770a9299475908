/** One wire stream: its frames are made once, and written to all its listeners. */
import type { PcmFrame } from '../audio/frame';
import type { Listener } from './listener';
import type { WireFrame } from './packetizer';
import { withProbe } from './websocket-frame';
import type { WireEncoder } from './wire-encoder';
import type { WireStream } from './wire-stream';

/** Listeners are asked for a sign of life this often when they are few, and this often when they are many. */
const PROBE_MIN_MS = 240;
const PROBE_MAX_MS = 1000;
/** Answers to probes that the whole channel may cause a second. */
const PROBES_PER_SECOND = 200;

export class FormatChannel {
  readonly listeners = new Set<Listener>();
  private sinceProbe = 0;
  /** When the newest frame's first sample was captured, epoch ms; undefined before the first frame. */
  newestTime: number | undefined;

  /**
   * @param encoder makes the stream's frames; the channel closes it
   * @param now monotonic ms
   * @param onEncoded called with the ms that were spent on making frames
   */
  constructor(
    readonly stream: WireStream,
    private readonly encoder: WireEncoder,
    private readonly now: () => number,
    private readonly onEncoded: (ms: number) => void,
  ) {}

  /** Takes the source's next frame. What it throws is of this channel alone: the broadcast ends it. */
  push(frame: PcmFrame): void {
    const began = this.now();
    const wireFrames = this.encoder.push(frame);
    this.onEncoded(this.now() - began);
    for (const wireFrame of wireFrames) this.deliver(wireFrame);
  }

  close(): void {
    this.encoder.close();
  }

  private deliver(frame: WireFrame): void {
    this.newestTime = frame.time;
    const probed = this.probeDue() ? this.probe(frame) : frame;
    const now = this.now();
    for (const listener of this.listeners) listener.deliver(probed, now);
  }

  private probeDue(): boolean {
    const interval = (this.listeners.size * 1000) / PROBES_PER_SECOND;
    const frames = Math.min(PROBE_MAX_MS, Math.max(PROBE_MIN_MS, interval)) / this.stream.frameMs;
    if (++this.sinceProbe < frames) return false;
    this.sinceProbe = 0;
    return true;
  }

  private probe(frame: WireFrame): WireFrame {
    return { ...frame, bytes: withProbe(frame.bytes, frame.position), probe: true };
  }
}
