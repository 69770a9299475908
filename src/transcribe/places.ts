/** Where and when the samples that a service was sent were captured: from an index in what was sent to the input's place. */
import type { PcmFormat } from '../audio/format';
import { msOfSamples } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { positionAtRate } from '../audio/place';

/** A place of the input, as messages describe it. */
export interface InputPlace {
  readonly format: PcmFormat;
  /** At the input's rate. */
  readonly position: number;
  /** Epoch ms. */
  readonly time: number;
}

/** From here on, samples follow each other without a gap. */
interface Anchor {
  readonly index: number;
  /** At the service's rate. */
  readonly position: number;
  readonly time: number;
  readonly format: PcmFormat;
}

/** Times of one line may be off by so much before a new one begins. */
const TOLERANCE_MS = 0.5;
/** A stream whose times jump with each frame keeps no more than these. */
const MAX_ANCHORS = 20_000;

export class Places {
  private anchors: Anchor[] = [];

  /** @param sampleRate of the service, at which indices count */
  constructor(private readonly sampleRate: number) {}

  /** Takes note of where `frame`, at the service's rate, lies. @param index of its first sample */
  add(index: number, frame: PcmFrame, format: PcmFormat): void {
    const last = this.anchors.at(-1);
    const { position, time } = frame;
    if (last?.format === format && position - last.position === index - last.index) {
      if (Math.abs(this.timeFrom(last, index) - time) <= TOLERANCE_MS) return;
    }
    this.anchors.push({ index, position, time, format });
    if (this.anchors.length > MAX_ANCHORS) this.anchors.splice(0, MAX_ANCHORS / 2);
  }

  /** Where the sample at `index` is. Undefined before the first one. */
  startAt(index: number): InputPlace | undefined {
    return this.placeFrom(this.anchorOf(index), index);
  }

  /** The place just after the sample before `index`: in front of a gap, where one follows. */
  endAt(index: number): InputPlace | undefined {
    return this.placeFrom(this.anchorOf(index - 1), index);
  }

  /** The first sample at or after a place of the input, where it has come; undefined where it is still to come. */
  indexOf(position: number, end: number): number | undefined {
    const last = this.anchors.at(-1);
    if (!last) return undefined;
    for (let i = this.anchors.length - 1; i >= 0; i--) {
      const anchor = this.anchors[i];
      if (!anchor) continue;
      const wanted = positionAtRate(position, anchor.format.sampleRate, this.sampleRate);
      if (wanted < anchor.position) continue;
      const index = anchor.index + wanted - anchor.position;
      const limit = this.anchors[i + 1]?.index ?? end;
      return index <= limit ? index : i + 1 < this.anchors.length ? limit : undefined;
    }
    return this.anchors[0]?.index;
  }

  /** Forgets what lies before `index`, but for what is needed to know where that is. */
  forgetBefore(index: number): void {
    let kept = 0;
    while ((this.anchors[kept + 1]?.index ?? Infinity) <= index) kept++;
    if (kept > 0) this.anchors.splice(0, kept);
  }

  private anchorOf(index: number): Anchor | undefined {
    let [low, high] = [0, this.anchors.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.anchors[middle]?.index ?? Infinity) <= index) low = middle;
      else high = middle - 1;
    }
    return this.anchors[low];
  }

  private placeFrom(anchor: Anchor | undefined, index: number): InputPlace | undefined {
    if (!anchor) return undefined;
    const { format, position } = anchor;
    return {
      format,
      position: positionAtRate(position + index - anchor.index, this.sampleRate, format.sampleRate),
      time: this.timeFrom(anchor, index),
    };
  }

  private timeFrom(anchor: Anchor, index: number): number {
    return anchor.time + msOfSamples(this.sampleRate, index - anchor.index);
  }
}
