/** The node that hears a computer: its sound as messages of a flow, with the events of its connection. */
import { randomUUID } from 'node:crypto';
import type { OrgoError } from '../../src/audio/errors';
import { msOfSamples, type PcmFormat } from '../../src/audio/format';
import { AudioStream } from '../../src/client/audio-stream';
import type { Gap } from '../../src/client/receiver';
import type { HeardFormat } from '../../src/client/heard-format';
import type { AudioStreamSink, HeardFrame, StreamEnd, StreamState } from '../../src/client/stream-events';
import type { Computer } from '../../src/client/computer';
import { FRAME_MS, frameLengths, type Codec, type StreamChoice } from '../../src/protocol/stream-format';
import { computerOf } from '../orgo-computer/computer';
import { actionOf } from '../shared/audio-description';
import { defineNode, type NodeParts } from '../shared/define-node';
import { MessageWriter } from '../shared/messages/message-writer';
import type { Message, NodeBehaviour, Send } from '../shared/red';
import { SETTINGS } from './settings';
import { wordsFor } from './status-words';

const STATS_EVERY_MS = 10_000;
const NO_DATA = Buffer.alloc(0);

/** Sources of what differs in each run, so that tests can control it. */
const OUTSIDE = {
  /** Uniform in [0, 1). */
  random: Math.random,
  /** An id that no other stream has. */
  newId: (): string => randomUUID(),
};

/** `msg.payload` of an event. */
interface EventPayload {
  readonly event: 'connected' | 'disconnected' | 'reconnecting' | 'refused' | 'gap' | 'stats' | 'status';
  readonly [detail: string]: unknown;
}

/** The stream that is heard now. */
interface Heard {
  readonly format: HeardFormat;
  readonly writer: MessageWriter;
}

class AudioIn implements NodeBehaviour, AudioStreamSink {
  private readonly computer: Computer;
  private readonly asked: PcmFormat;
  private readonly stream: AudioStream;
  private heard: Heard | undefined;
  private cancelStats: (() => void) | undefined;
  private counts = { frames: 0, bytes: 0, gaps: 0, reconnects: 0 };
  /** The last error that was reported: a lasting problem is reported once. */
  private reported = '';

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(private readonly parts: NodeParts<typeof SETTINGS, typeof OUTSIDE>) {
    const { clock, random } = parts.dependencies;
    const { computer, sampleRate, channels, codec, autoStart, frameMs, fillGaps } = parts.settings;
    this.computer = computerOf(parts.RED, computer);
    this.asked = { encoding: 's16le', sampleRate, channels };
    const { endpoints, tls } = this.computer;
    this.stream = new AudioStream(
      {
        ...{ endpoints, format: this.asked, choice: choiceFor(codec, frameMs, sampleRate) },
        ...{ frameMs, fillGaps, clock, random },
        ...(tls && { tls }),
      },
      this,
    );
    parts.status.show(...wordsFor(this.stream.state));
    if (autoStart) this.start();
  }

  onInput(msg: Message): void | Promise<void> {
    switch (actionOf(msg, ['connect', 'disconnect', 'status'])) {
      case 'connect':
        this.start();
        break;
      case 'disconnect':
        return this.stop('stopped');
      case 'status':
        this.sendStatus();
    }
    return undefined;
  }

  onClose(): Promise<void> {
    return this.stop('closed');
  }

  onState(state: StreamState): void {
    this.parts.status.show(...wordsFor(state));
    if (state.kind === 'waiting') {
      const { error, retryInMs } = state;
      this.counts.reconnects += 1;
      this.report(error);
      this.sendEvent({ event: 'reconnecting', inMs: Math.round(retryInMs), ...detailsOf(error) });
    } else if (state.kind === 'refused') {
      this.report(state.error);
      this.sendEvent({ event: 'refused', ...detailsOf(state.error) });
    } else if (state.kind === 'running') {
      this.reported = '';
    }
  }

  onBegin(format: HeardFormat): void {
    this.heard = { format, writer: new MessageWriter(this.parts.dependencies.newId(), ['audio', 'events']) };
    const { sampleRate, channels, encoding } = format;
    const { sampleRate: askedSampleRate, channels: askedChannels } = this.asked;
    this.sendEvent({ event: 'connected', encoding, sampleRate, channels, askedSampleRate, askedChannels });
  }

  onFrame(frame: HeardFrame): void {
    this.counts.frames += 1;
    this.counts.bytes += frame.data.length;
    this.heard?.writer.send({ output: 'audio', frame }, this.template, this.send);
  }

  onGap({ samples, filled, position, time }: Gap): void {
    this.counts.gaps += 1;
    const { sampleRate } = this.heard?.format ?? this.asked;
    this.sendEvent(
      { event: 'gap', samples, filled, durationMs: msOfSamples(sampleRate, samples) },
      { position, time },
    );
  }

  onEnd({ reason, tail, error, closeCode }: StreamEnd): void {
    if (!this.heard) return;
    const { writer } = this.heard;
    if (tail || writer.end) {
      writer.holdLast();
      if (tail) writer.send({ output: 'audio', frame: tail }, this.template, this.send);
      writer.complete(reason, this.template, this.epochNow(), this.send);
    }
    this.sendEvent({
      event: 'disconnected',
      reason,
      ...(closeCode !== undefined && { closeCode }),
      ...(error && detailsOf(error)),
    });
    this.heard = undefined;
  }

  onNotice(notice: OrgoError): void {
    this.parts.node.warn(notice.message);
  }

  private start(): void {
    if (!this.cancelStats) this.scheduleStats();
    this.stream.start();
  }

  private stop(reason: 'stopped' | 'closed'): Promise<void> {
    this.cancelStats?.();
    this.cancelStats = undefined;
    this.reported = '';
    return this.stream.stop(reason);
  }

  private scheduleStats(): void {
    this.cancelStats = this.parts.dependencies.clock.after(STATS_EVERY_MS, () => {
      this.sendEvent({ event: 'stats', ...this.counts, ...this.freshness() });
      this.counts = { frames: 0, bytes: 0, gaps: 0, reconnects: 0 };
      this.scheduleStats();
    });
  }

  private sendStatus(): void {
    const { state } = this.stream;
    this.sendEvent({
      event: 'status',
      state: state.kind,
      ...('format' in state && { sampleRate: state.format.sampleRate, channels: state.format.channels }),
      ...('error' in state && detailsOf(state.error)),
      ...('retryInMs' in state && { retryInMs: Math.round(state.retryInMs) }),
      ...this.freshness(),
    });
  }

  /** How old the newest sound is, and whether the server's clock says so or our estimate. */
  private freshness(): { ageMs: number | null; clock: 'server' | 'estimated' } {
    const end = this.heard?.writer.end;
    return {
      ageMs: end === undefined ? null : this.epochNow() - end.time,
      clock: this.stream.exact ? 'server' : 'estimated',
    };
  }

  private report(error: OrgoError): void {
    if (this.reported === error.message) return;
    this.reported = error.message;
    // Without a message of its own, an error reaches no Catch node.
    this.parts.node.error(error.message, this.template);
  }

  /** @param at where in the stream it happened; where the stream ends so far */
  private sendEvent(event: EventPayload, at?: { readonly position: number; readonly time: number }): void {
    if (!this.heard) {
      this.send([null, { ...this.template, payload: event }]);
      return;
    }
    const { format, writer } = this.heard;
    const { position, time } = at ?? writer.end ?? { position: 0, time: this.epochNow() };
    const frame = { format, position, time, data: NO_DATA, samples: 0, gap: 0, latencyMs: 0 };
    writer.send({ output: 'events', frame, event }, this.template, this.send);
  }

  private get template(): Message {
    return { topic: this.computer.topic };
  }

  private readonly send: Send = (outgoing) => this.parts.node.send(outgoing);

  private epochNow(): number {
    const { clock } = this.parts.dependencies;
    return clock.now() + clock.epochOffset();
  }
}

/**
 * What is asked of the server by our extension: only what differs from the document's stream, and is possible at this
 * rate. PCM of another length is cut here.
 */
function choiceFor(codec: Codec, frameMs: number, sampleRate: number): StreamChoice | undefined {
  const possible = frameLengths(sampleRate, codec).find((ms) => ms === frameMs);
  if (codec === 'opus') return { codec, frameMs: possible ?? FRAME_MS, bitrate: undefined };
  if (possible === undefined || possible === FRAME_MS) return undefined;
  return { codec, frameMs: possible, bitrate: undefined };
}

function detailsOf(error: OrgoError): { code: string; message: string } {
  return { code: error.code, message: error.message };
}

export = defineNode('orgo-audio-in', SETTINGS, (parts) => new AudioIn(parts), OUTSIDE);
