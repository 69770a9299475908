/** A bot's voice in one guild: joins a channel, moves, speaks what streams bring, and comes back. */
import { systemClock, type Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { checkIds } from './channel-check';
import { claimVoice } from './claims';
import { JoinBackoff } from './join-backoff';
import type { PacerStats } from './pacer';
import { ownProgram, Relay, type RelayProgram } from './relay';
import type { FromRelay, RelayFailure, RelayState } from './relay-messages';
import type { SoundPacket } from './sound-packet';
import { withDefaults, type DiscordVoiceOptions, type DiscordVoiceSettings } from './voice-settings';
import { VoiceStream, type Spoken } from './voice-stream';
import { SpeakingOrder } from './speaking-order';
import type { VoiceSink, VoiceState, VoiceStats } from './voice-state';

export type { VoiceEvent, VoiceSink, VoiceState, VoiceStats } from './voice-state';
export type { DiscordVoiceOptions } from './voice-settings';
export type { VoiceStream } from './voice-stream';

export interface DiscordVoiceDependencies {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly program?: RelayProgram;
}

const STATS_EVERY_MS = 10_000;
/** A join that holds for so long was a success: the next failure waits from 1 s again. */
const STABLE_AFTER_MS = 60_000;

export class DiscordVoice {
  private readonly settings: DiscordVoiceSettings;
  private readonly clock: Clock;
  private readonly program: RelayProgram;
  private readonly backoff: JoinBackoff;
  private readonly streams = new Set<VoiceStream>();
  private current: VoiceState = { kind: 'left' };
  private channelId: string;
  private relay: Relay | undefined;
  private release: (() => void) | undefined;
  private wanted = false;
  private cancelRetry: (() => void) | undefined;
  private cancelStable: (() => void) | undefined;
  private cancelStats: (() => void) | undefined;
  private latest: PacerStats | undefined;
  private starts = 0;
  private notTaken = 0;
  /** Text of the trouble that was told last: the same one is told once. */
  private trouble: string | undefined;
  private readonly order = new SpeakingOrder();

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    options: DiscordVoiceOptions,
    private readonly sink: VoiceSink,
    { clock = systemClock, random = Math.random, program = ownProgram() }: DiscordVoiceDependencies = {},
  ) {
    this.settings = withDefaults(options);
    this.clock = clock;
    this.program = program;
    this.backoff = new JoinBackoff(random);
    this.channelId = this.settings.channelId;
  }

  get state(): VoiceState {
    return this.current;
  }

  /** Undefined before the relay has told any. */
  get stats(): VoiceStats | undefined {
    if (!this.latest) return undefined;
    return { ...this.latest, dropped: this.latest.dropped + this.notTaken, starts: this.starts };
  }

  /** Process id of the relay; undefined while there is none. */
  get relayPid(): number | undefined {
    return this.relay?.pid;
  }

  /** Joins, also after a kick; where it is in a channel already, nothing happens. */
  join(): void {
    if (this.current.kind === 'closed') return;
    this.wanted = true;
    this.trouble = undefined;
    if (this.relay) return;
    this.backoff.reset();
    this.launch();
  }

  /** @throws OrgoError `ORGO_BAD_SETTING` where it is no id */
  move(channelId: string): void {
    checkIds({ guildId: this.settings.guildId, channelId });
    this.channelId = channelId;
    if (inChannel(this.current)) this.relay?.send({ kind: 'move', channelId });
    else if (this.wanted && this.relay) void this.restart();
    else if (this.wanted) this.launch();
  }

  /** Leaves the channel, until told to join again. */
  async leave(): Promise<void> {
    this.wanted = false;
    this.stopTimers();
    const { relay } = this;
    const was = this.current;
    await relay?.leave();
    this.giveBack();
    if (inChannel(was)) this.sink.onEvent({ event: 'left', channelId: was.channelId });
    if (this.current.kind !== 'closed') this.setState({ kind: 'left' });
  }

  /** Opens a stream of sound to be spoken. `live` is kept current, a `recording` is spoken whole. */
  openStream(kind: 'live' | 'recording'): VoiceStream {
    const stream = new VoiceStream(
      { bitrate: this.settings.bitrate, live: kind === 'live' },
      {
        speak: (packets, from) => this.speak(packets, from),
        ended: (ended) => this.onStreamEnd(ended),
      },
    );
    this.streams.add(stream);
    return stream;
  }

  /** Leaves and frees everything. May be called twice. */
  async close(): Promise<void> {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
    await this.leave();
    this.setState({ kind: 'closed' });
  }

  private launch(): void {
    this.stopTimers();
    const { token, guildId } = this.settings;
    this.release ??= claimVoice(token, guildId);
    if (!this.release) {
      const text = `Another node speaks with the same bot in the server ${guildId} already: a bot has one voice in each server. Use that node, or another bot`;
      this.giveUp('unusable', new OrgoError('ORGO_DISCORD_IN_USE', text));
      return;
    }
    this.setState({ kind: 'connecting', step: 'starting' });
    this.starts++;
    this.order.reset();
    const { channelId } = this;
    const relay: Relay = new Relay(
      { kind: 'start', ...this.settings, channelId },
      {
        message: (message) => this.onMessage(message),
        ended: (failure) => this.onEnded(relay, failure),
      },
      this.program,
    );
    this.relay = relay;
  }

  private async restart(): Promise<void> {
    await this.relay?.leave();
    if (this.wanted && !this.relay) this.launch();
  }

  private onMessage(message: Exclude<FromRelay, { kind: 'failed' }>): void {
    switch (message.kind) {
      case 'state':
        this.onRelayState(message.state);
        return;
      case 'moved':
        this.channelId = message.to;
        // The state names the channel too, and the relay's next one comes later.
        if (inChannel(this.current)) this.setState({ ...this.current, channelId: message.to });
        this.sink.onEvent({ event: 'moved', from: message.from, to: message.to });
        return;
      case 'rate-limited':
        this.sink.onEvent({
          event: 'reconnecting',
          reason: 'Discord limits the rate of requests (429)',
          retryInMs: message.retryAfterMs,
        });
        return;
      case 'stats':
        this.latest = message.stats;
        this.order.onReport(message.stats);
        return;
      case 'refused':
        this.sink.onError(new OrgoError(message.failure.code, message.failure.text));
    }
  }

  private onRelayState(state: RelayState): void {
    switch (state.step) {
      case 'logging-in':
      case 'joining':
        this.setState({ kind: 'connecting', step: state.step });
        return;
      case 'reconnecting':
        this.setState({ kind: 'reconnecting', why: state.why });
        this.sink.onEvent({ event: 'reconnecting', reason: state.why, retryInMs: undefined });
        return;
      case 'ready':
        this.onReady(state);
    }
  }

  private onReady({ channelId, encryption }: Extract<RelayState, { step: 'ready' }>): void {
    const kind = { none: 'ready', waiting: 'securing', active: 'encrypted' } as const;
    const cameIn = !inChannel(this.current);
    this.trouble = undefined;
    this.setState({ kind: kind[encryption], channelId });
    if (cameIn) {
      this.cancelStable = this.clock.after(STABLE_AFTER_MS, () => this.backoff.reset());
      this.cancelStats ??= this.clock.after(STATS_EVERY_MS, () => this.tellStats());
      this.sink.onEvent({ event: 'ready', channelId, encrypted: encryption === 'active' });
    }
  }

  private onEnded(relay: Relay, failure: RelayFailure | undefined): void {
    this.notTaken += relay.dropped;
    if (this.relay === relay) this.relay = undefined;
    if (!failure || !this.wanted) return;
    const error = new OrgoError(failure.code, failure.text);
    if (failure.then === 'retry') {
      this.retryLater(error);
      return;
    }
    if (failure.then === 'out') {
      const { channelId } = this;
      this.sink.onEvent({ event: 'kicked', channelId, reason: failure.text, code: failure.closeCode });
    }
    this.giveUp(failure.then === 'out' ? 'kicked' : 'unusable', error);
  }

  private retryLater(error: OrgoError): void {
    this.stopTimers();
    const retryInMs = this.backoff.next();
    this.setState({ kind: 'waiting', error, retryInMs });
    this.sink.onEvent({ event: 'reconnecting', reason: error.message, retryInMs });
    this.tellTrouble(error);
    this.cancelRetry = this.clock.after(retryInMs, () => this.launch());
  }

  private giveUp(kind: 'kicked' | 'unusable', error: OrgoError): void {
    this.wanted = false;
    this.stopTimers();
    this.giveBack();
    this.setState({ kind, error });
    this.tellTrouble(error);
  }

  private tellTrouble(error: OrgoError): void {
    if (this.trouble === error.message) return;
    this.trouble = error.message;
    this.sink.onError(error);
  }

  private speak(packets: readonly SoundPacket[], from: VoiceStream): Spoken {
    if (!this.relay) return 'not-connected';
    const spoken = this.order.admit(packets, from, this.clock.now());
    if (spoken === 'spoken') for (const packet of packets) this.relay.play(packet);
    return spoken;
  }

  private onStreamEnd(stream: VoiceStream): void {
    this.streams.delete(stream);
    if (this.order.end(stream)) this.relay?.send({ kind: 'end' });
  }

  private tellStats(): void {
    this.cancelStats = this.clock.after(STATS_EVERY_MS, () => this.tellStats());
    const { stats } = this;
    if (stats && inChannel(this.current))
      this.sink.onEvent({ event: 'stats', channelId: this.current.channelId, ...stats });
  }

  private setState(state: VoiceState): void {
    this.current = state;
    this.sink.onState(state);
  }

  private stopTimers(): void {
    for (const cancel of [this.cancelRetry, this.cancelStable, this.cancelStats]) cancel?.();
    this.cancelRetry = undefined;
    this.cancelStable = undefined;
    this.cancelStats = undefined;
  }

  private giveBack(): void {
    this.release?.();
    this.release = undefined;
  }
}

function inChannel(state: VoiceState): state is Extract<VoiceState, { channelId: string }> {
  return 'channelId' in state;
}
