/** Reads what comes in at a monitor: each stream's messages by a reader of its own. */
import type { Clock } from '../../src/audio/clock';
import type { AudioFrame } from '../../src/audio/frame';
import type { Arrival } from '../../src/monitor/monitor';
import { parsePacket } from '../../src/opus/packet';
import { MessageReader, type Accepted } from '../shared/messages/message-reader';
import { mostSamples } from '../shared/messages/numbers';
import type { Message } from '../shared/red';

/** A stream that brings nothing for this long is over. */
const IDLE_MS = 60_000;
/** At most so many are known at once: the one that is idle longest makes room. */
const MOST_STREAMS = 256;

interface Incoming {
  readonly reader: MessageReader;
  usedAt: number;
  /** Missing samples that came without sound. */
  owedGap: number;
}

export class IncomingStreams {
  private readonly streams = new Map<string, Incoming>();

  constructor(
    private readonly accepted: Accepted,
    private readonly clock: Clock,
  ) {}

  /**
   * The sound of `msg`, which is of the stream `name`; undefined where it brings none.
   * @throws OrgoError `ORGO_BAD_INPUT`
   */
  read(name: string, msg: Message): Arrival | undefined {
    const incoming = this.incomingOf(name);
    const { frame, timed, startsOver } = incoming.reader.read(msg);
    if (!frame) return undefined;
    const gap = Math.min(frame.gap + incoming.owedGap, mostSamples(frame.format.sampleRate));
    const isEmpty = frame.data.length === 0;
    incoming.owedGap = isEmpty ? gap : 0;
    if (isEmpty) return undefined;
    checkPacket(frame);
    const speech = typeof msg['speech'] === 'object' && msg['speech'] !== null;
    return { frame: { ...frame, gap }, stream: name, timed, begins: startsOver, speech };
  }

  /** The stream is over. */
  forget(name: string): void {
    this.streams.delete(name);
  }

  get isEmpty(): boolean {
    return this.streams.size === 0;
  }

  /** Forgets what was idle for long. */
  sweep(): void {
    const overBefore = this.clock.now() - IDLE_MS;
    for (const [name, { usedAt }] of this.streams) if (usedAt <= overBefore) this.streams.delete(name);
  }

  private incomingOf(name: string): Incoming {
    const known = this.streams.get(name);
    const incoming = known ?? {
      reader: new MessageReader(this.accepted, this.clock),
      usedAt: 0,
      owedGap: 0,
    };
    incoming.usedAt = this.clock.now();
    if (known) return known;
    this.streams.set(name, incoming);
    if (this.streams.size > MOST_STREAMS) this.dropOldest();
    return incoming;
  }

  private dropOldest(): void {
    const [oldest] = [...this.streams].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest) this.streams.delete(oldest[0]);
  }
}

/** @throws OrgoError `ORGO_BAD_INPUT` where the payload is no Opus packet */
function checkPacket({ format, data }: AudioFrame): void {
  if (format.encoding === 'opus') parsePacket(data);
}
