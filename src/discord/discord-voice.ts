/** A bot's voice in one guild: joins a channel, moves, speaks what streams bring, and comes back. */
import { systemClock, type Clock } from '../audio/clock';
import { OrgoError } from '../audio/errors';
import { checkIds } from './channel-check';
import { claimVoice, voiceInUse } from './claims';
import { LogIns, type LogInWait } from './log-ins';
import type { PacerStats } from './pacer';
import { ownProgram, Relay, type RelayProgram } from './relay';
import type { FromRelay, RelayFailure, RelayState } from './relay-messages';
import { RELAY_TIMEOUTS, type RelayTimeouts } from './relay-timeouts';
import type { SoundPacket } from './sound-packet';
import { withDefaults, type DiscordVoiceOptions, type DiscordVoiceSettings } from './voice-settings';
import { VoiceStream, type Speaker, type Spoken } from './voice-stream';
import { SpeakingOrder } from './speaking-order';
import { inChannel, type VoiceSink, type VoiceState, type VoiceStats } from './voice-state';
import { VoiceTimers } from './voice-timers';

export type { VoiceEvent, VoiceSink, VoiceState, VoiceStats } from './voice-state';
export type { DiscordVoiceOptions } from './voice-settings';
export type { VoiceStream } from './voice-stream';

const LIMITED = 'Discord limits the rate of requests (429)';

export interface DiscordVoiceDependencies {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly program?: RelayProgram;
  /** How long the relay waits for Discord; {@link RELAY_TIMEOUTS} */
  readonly timeouts?: RelayTimeouts;
}

export class DiscordVoice {
  private readonly settings: DiscordVoiceSettings;
  private readonly outside: Required<DiscordVoiceDependencies>;
  private readonly logIns: LogIns;
  private readonly streams = new Set<VoiceStream>();
  private current: VoiceState = { kind: 'left' };
  private channelId: string;
  private relay: Relay | undefined;
  private release: (() => void) | undefined;
  private wanted = false;
  private closing = false;
  private readonly timers: VoiceTimers;
  private latest: PacerStats | undefined;
  private starts = 0;
  private notTaken = 0;
  /** Texts of the errors that were reported since it spoke last: each is reported once. */
  private readonly reported = new Set<string>();
  private readonly order = new SpeakingOrder();

  /** What the streams see of this. */
  private readonly speaker: Speaker;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    options: DiscordVoiceOptions,
    private readonly sink: VoiceSink,
    dependencies: DiscordVoiceDependencies = {},
  ) {
    this.settings = withDefaults(options);
    const usual = { clock: systemClock, random: Math.random, timeouts: RELAY_TIMEOUTS };
    this.outside = { ...usual, program: ownProgram(), ...dependencies };
    const { clock, random } = this.outside;
    this.logIns = new LogIns(this.settings.token, clock, random);
    this.timers = new VoiceTimers(clock);
    this.channelId = this.settings.channelId;
    const { order } = this;
    this.speaker = {
      get refusesRecordings() {
        return order.refusesRecordings;
      },
      speak: (packets, from) => this.speak(packets, from),
      ended: (stream) => this.onStreamEnd(stream),
    };
  }

  get state(): VoiceState {
    return this.current;
  }

  /** Undefined before the relay has reported any. */
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
    if (this.closing) return;
    this.wanted = true;
    this.reported.clear();
    // One that leaves is followed by the next when it has gone.
    if (this.relay) return;
    this.logIns.startOver();
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
    this.timers.stop();
    await this.relay?.leave();
    this.onLeft();
  }

  /** Opens a stream of sound to be spoken. `live` is kept current, a `recording` is spoken whole. */
  openStream(kind: 'live' | 'recording'): VoiceStream {
    const stream = new VoiceStream({ bitrate: this.settings.bitrate, live: kind === 'live' }, this.speaker);
    this.streams.add(stream);
    return stream;
  }

  /** Leaves and frees everything. May be called twice. */
  async close(): Promise<void> {
    this.closing = true;
    for (const stream of this.streams) stream.close();
    this.streams.clear();
    await this.leave();
    this.setState({ kind: 'closed' });
  }

  private launch(): void {
    this.timers.stop();
    const { token, guildId } = this.settings;
    this.release ??= claimVoice(token, guildId);
    if (!this.release) {
      this.giveUp('unusable', voiceInUse(guildId));
      return;
    }
    const tooMany = this.logIns.begin();
    if (tooMany) {
      this.retryLater(tooMany);
      return;
    }
    this.setState({ kind: 'connecting', step: 'starting' });
    this.starts++;
    this.order.reset();
    const { channelId } = this;
    const { program, timeouts } = this.outside;
    const relay: Relay = new Relay(
      { kind: 'start', ...this.settings, channelId, timeouts },
      {
        message: (message) => {
          if (!relay.isLeaving) this.onMessage(message);
        },
        ended: (failure) => this.onEnded(relay, failure),
      },
      program,
    );
    this.relay = relay;
  }

  private onLeft(): void {
    // Told to leave twice, and to join in between: the first of them has launched the next relay.
    if (this.relay) return;
    this.giveBack();
    if (inChannel(this.current)) this.sink.onEvent({ event: 'left', channelId: this.current.channelId });
    if (this.wanted) this.launch();
    else if (this.current.kind !== 'closed') this.setState({ kind: 'left' });
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
      case 'logged-in-anew':
        this.logIns.count();
        return;
      case 'rate-limited':
        // Where it speaks already, only a move waits.
        if (this.current.kind === 'connecting') this.setState({ kind: 'reconnecting', why: LIMITED });
        this.sink.onEvent({ event: 'reconnecting', reason: LIMITED, retryInMs: message.retryAfterMs });
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
    this.reported.clear();
    this.setState({ kind: kind[encryption], channelId });
    if (cameIn) {
      this.timers.onReady({ stable: () => this.logIns.startOver(), stats: () => this.reportStats() });
      this.sink.onEvent({ event: 'ready', channelId, encrypted: encryption === 'active' });
    }
  }

  private onEnded(relay: Relay, failure: RelayFailure | undefined): void {
    this.notTaken += relay.dropped;
    if (this.relay === relay) this.relay = undefined;
    if (!failure || !this.wanted) return;
    const error = new OrgoError(failure.code, failure.text);
    if (failure.then === 'retry') {
      this.retryLater(this.logIns.after(error));
      return;
    }
    if (failure.then === 'out') {
      const { channelId } = this;
      this.sink.onEvent({ event: 'kicked', channelId, reason: failure.text, code: failure.closeCode });
    }
    this.giveUp(failure.then === 'out' ? 'kicked' : 'unusable', error);
  }

  private retryLater({ error, retryInMs, isSlowed }: LogInWait): void {
    this.timers.stop();
    this.setState({ kind: 'waiting', error, retryInMs, isSlowed });
    this.sink.onEvent({ event: 'reconnecting', reason: error.message, retryInMs });
    this.reportOnce(error);
    this.timers.retryIn(retryInMs, () => this.launch());
  }

  private giveUp(kind: 'kicked' | 'unusable', error: OrgoError): void {
    this.wanted = false;
    this.timers.stop();
    this.giveBack();
    this.setState({ kind, error });
    this.reportOnce(error);
  }

  private reportOnce(error: OrgoError): void {
    if (this.reported.has(error.message)) return;
    this.reported.add(error.message);
    this.sink.onError(error);
  }

  private speak(packets: readonly SoundPacket[], from: VoiceStream): Spoken {
    if (!this.relay) return 'not-connected';
    const spoken = this.order.admit(packets, from, this.outside.clock.now());
    if (spoken === 'spoken') for (const packet of packets) this.relay.play(packet);
    return spoken;
  }

  private onStreamEnd(stream: VoiceStream): void {
    this.streams.delete(stream);
    if (this.order.end(stream)) this.relay?.send({ kind: 'end' });
  }

  private reportStats(): void {
    const { stats } = this;
    if (stats && inChannel(this.current))
      this.sink.onEvent({ event: 'stats', channelId: this.current.channelId, ...stats });
  }

  private setState(state: VoiceState): void {
    this.current = state;
    this.sink.onState(state);
  }

  private giveBack(): void {
    this.release?.();
    this.release = undefined;
  }
}
