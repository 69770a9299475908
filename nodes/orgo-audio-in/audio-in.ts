/** A computer's sound as messages of a flow, with the events of its connection. */
import type { Clock } from '../../src/audio/clock';
import { OrgoError } from '../../src/audio/errors';
import { msOfSamples, type PcmFormat } from '../../src/audio/format';
import type { PcmFrame } from '../../src/audio/frame';
import { AudioStream } from '../../src/client/audio-stream';
import type { Gap } from '../../src/client/receiver';
import type { AudioStreamSink, StreamEnd, StreamState } from '../../src/client/stream-events';
import { computerOf, type Computer } from '../orgo-computer/computer';
import type { Message, NodeBehaviour, NodeConfig, Red, RedNode } from '../shared/red';
import { parseSettings } from '../shared/settings';
import { StatusLine } from '../shared/status';
import { StreamMessages, type EventPayload } from './messages';
import { SETTINGS } from './settings';
import { showState } from './status-words';

const STATS_EVERY_MS = 10_000;
const SHOWN_ACTION_LENGTH = 60;

/** What the node needs from outside, so that tests can control it. */
export interface Dependencies {
  readonly clock: Clock;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
  /** An id that no other stream has. */
  readonly newId: () => string;
}

export class AudioIn implements NodeBehaviour, AudioStreamSink {
  private readonly computer: Computer;
  private readonly asked: PcmFormat;
  private readonly status: StatusLine;
  private readonly stream: AudioStream;
  private messages: StreamMessages | undefined;
  private cancelStats: (() => void) | undefined;
  private counts = { frames: 0, bytes: 0, gaps: 0, reconnects: 0 };
  /** The last error that was reported: a lasting problem is reported once. */
  private reported = '';

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    RED: Red,
    private readonly node: RedNode,
    config: NodeConfig,
    private readonly dependencies: Dependencies,
  ) {
    const { clock, random } = dependencies;
    const { computer, sampleRate, channels, autoStart, frameMs, fillGaps } = parseSettings(SETTINGS, config);
    this.computer = computerOf(RED, computer);
    this.asked = { encoding: 's16le', sampleRate, channels };
    this.status = new StatusLine(RED, node, clock);
    const { endpoints, tls } = this.computer;
    this.stream = new AudioStream(
      { endpoints, format: this.asked, frameMs, fillGaps, clock, random, ...(tls && { tls }) },
      this,
    );
    showState(this.status, this.stream.state);
    if (autoStart) this.start();
  }

  onInput(msg: Message): void | Promise<void> {
    switch (msg.action) {
      case 'connect':
        this.start();
        return;
      case 'disconnect':
        return this.stop('stopped');
      case 'status':
        this.sendStatus();
        return;
      default: {
        const came = (msg.action === undefined ? 'missing' : JSON.stringify(msg.action)).slice(
          0,
          SHOWN_ACTION_LENGTH,
        );
        throw new OrgoError(
          'ORGO_BAD_INPUT',
          `msg.action is ${came}: it must be connect, disconnect or status`,
        );
      }
    }
  }

  async onClose(): Promise<void> {
    const stopped = this.stop('closed');
    this.status.close();
    await stopped;
  }

  onState(state: StreamState): void {
    showState(this.status, state);
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

  onBegin(format: PcmFormat): void {
    this.messages = new StreamMessages(this.computer.topic, this.dependencies.newId(), format);
    const { sampleRate, channels } = format;
    const { sampleRate: askedSampleRate, channels: askedChannels } = this.asked;
    this.sendEvent({ event: 'connected', sampleRate, channels, askedSampleRate, askedChannels });
  }

  onFrame(frame: PcmFrame): void {
    if (!this.messages) return;
    this.counts.frames += 1;
    this.counts.bytes += frame.data.length;
    this.node.send(this.messages.audio(frame));
  }

  onGap({ samples, filled, position, time }: Gap): void {
    this.counts.gaps += 1;
    const sampleRate = this.messages?.format.sampleRate ?? this.asked.sampleRate;
    this.sendEvent(
      { event: 'gap', samples, filled, durationMs: msOfSamples(sampleRate, samples) },
      this.messages?.at(position, time),
    );
  }

  onEnd({ reason, tail, error, closeCode }: StreamEnd): void {
    const { messages } = this;
    if (!messages) return;
    if (tail || messages.begun) this.node.send(messages.complete(reason, tail, this.epochNow()));
    this.sendEvent({
      event: 'disconnected',
      reason,
      ...(closeCode !== undefined && { closeCode }),
      ...(error && detailsOf(error)),
    });
    this.messages = undefined;
  }

  onNotice(notice: OrgoError): void {
    this.node.warn(notice.message);
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
    this.cancelStats = this.dependencies.clock.after(STATS_EVERY_MS, () => {
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

  /** How old the newest sound is, and whose clock says so. */
  private freshness(): { ageMs: number | null; clock: 'server' | 'estimated' } {
    const end = this.messages?.endTime;
    return {
      ageMs: end === undefined ? null : this.epochNow() - end,
      clock: this.stream.exact ? 'server' : 'estimated',
    };
  }

  private report(error: OrgoError): void {
    if (this.reported === error.message) return;
    this.reported = error.message;
    // Without a message of its own, an error reaches no Catch node.
    this.node.error(error.message, { topic: this.computer.topic });
  }

  private sendEvent(payload: EventPayload, audio?: object): void {
    const place = audio ?? this.messages?.here(this.epochNow());
    const message: Message = { topic: this.computer.topic, payload };
    if (place) message.audio = place;
    this.node.send([null, message]);
  }

  private epochNow(): number {
    const { clock } = this.dependencies;
    return clock.now() + clock.epochOffset();
  }
}

function detailsOf(error: OrgoError): { code: string; message: string } {
  return { code: error.code, message: error.message };
}
