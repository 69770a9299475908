/** The bot's place in a voice channel, in the relay process: how it is kept, and how it ends. */
import type { Clock } from '../audio/clock';
import { RelayEnd } from './failure';
import { Frequent } from '../audio/frequent';
import type {
  AdapterMethods,
  Networking,
  RtpState,
  VoiceConnection,
  VoiceConnectionState,
  VoiceLibrary,
} from './libraries';
import type { Encryption } from './relay-messages';
import type { RelayTimeouts } from './relay-timeouts';
import { actionFor, type CloseAction } from './voice-close';

const RECOVERIES_A_MINUTE = 3;
const MINUTE_MS = 60_000;
const RTP_MODULUS = 2 ** 32;

export interface VoiceLinkEvents {
  changed(): void;
  moved(from: string, to: string): void;
  failed(thrown: unknown): void;
  /** To the main gateway. */
  send(payload: unknown): void;
}

interface VoiceStateUpdate {
  readonly guild_id?: string;
  readonly user_id: string;
  readonly channel_id: string | null;
}

export class VoiceLink {
  private readonly connection: VoiceConnection;
  private readonly recoveries: Frequent;
  private methods: AdapterMethods | undefined;
  private cancelTimeout: (() => void) | undefined;
  private leaving = false;
  /** Whose RTP time starts where. */
  private rtp: { readonly state: Partial<RtpState>; readonly origin: number } | undefined;

  constructor(
    library: VoiceLibrary,
    private readonly place: { guildId: string; userId: string },
    private channelId: string,
    private readonly timeouts: RelayTimeouts,
    private readonly clock: Clock,
    private readonly events: VoiceLinkEvents,
  ) {
    this.recoveries = new Frequent(RECOVERIES_A_MINUTE, MINUTE_MS, clock);
    this.connection = library.joinVoiceChannel({
      ...{ guildId: place.guildId, channelId, selfDeaf: true, selfMute: false },
      adapterCreator: (methods) => {
        this.methods = methods;
        return {
          sendPayload: (payload) => {
            events.send(payload);
            return true;
          },
          destroy: () => (this.methods = undefined),
        };
      },
    });
    this.connection.on('stateChange', (before, after) => this.onStateChange(before, after));
    this.connection.on('error', (error) => events.failed(error));
    this.expectIn('Discord did not let the bot into the voice channel');
  }

  get channel(): string {
    return this.channelId;
  }

  get isReady(): boolean {
    return this.connection.state.status === 'ready';
  }

  get encryption(): Encryption {
    const dave = this.networking?.state.dave;
    if (!this.isReady) return 'waiting';
    if (!dave || dave.protocolVersion === 0) return 'none';
    return dave.session?.ready === true ? 'active' : 'waiting';
  }

  /** @param rtpTime samples since the pacer began */
  play(opus: Buffer, rtpTime: number): void {
    const state = this.networking?.state.connectionData;
    if (!this.isReady || state?.timestamp === undefined) return;
    if (this.rtp?.state !== state) this.rtp = { state, origin: state.timestamp - rtpTime };
    // The library counts packets, not time: it would stand still over every pause.
    state.timestamp = (((this.rtp.origin + rtpTime) % RTP_MODULUS) + RTP_MODULUS) % RTP_MODULUS;
    this.connection.playOpusPacket(opus);
  }

  setSpeaking(speaking: boolean): void {
    if (this.isReady) this.connection.setSpeaking(speaking);
  }

  move(channelId: string): void {
    this.connection.rejoin({ channelId });
    this.expectIn(`Discord did not move the bot to ${channelId}`);
  }

  /** After a new session at the main gateway: what the old one had joined is gone. */
  rejoin(): void {
    this.connection.rejoin({ channelId: this.channelId });
    this.expectIn('Discord did not let the bot back into the voice channel');
  }

  leave(): void {
    this.leaving = true;
    this.cancelTimeout?.();
    if (this.connection.state.status !== 'destroyed') this.connection.destroy();
  }

  onDispatch(type: string, data: unknown): void {
    if (type === 'VOICE_SERVER_UPDATE') {
      const update = data as { guild_id: string };
      if (update.guild_id === this.place.guildId) this.methods?.onVoiceServerUpdate(data);
      return;
    }
    if (type !== 'VOICE_STATE_UPDATE') return;
    const update = data as VoiceStateUpdate;
    if (update.guild_id !== this.place.guildId || update.user_id !== this.place.userId) return;
    this.methods?.onVoiceStateUpdate(data);
    this.onOwnState(update.channel_id);
  }

  private get networking(): Networking | undefined {
    return this.connection.state.networking;
  }

  private onOwnState(channelId: string | null): void {
    if (this.leaving) return;
    if (channelId === null) {
      this.end({ kind: 'out', text: 'someone disconnected the bot from the voice channel' }, undefined);
      return;
    }
    if (channelId === this.channelId) return;
    const from = this.channelId;
    this.channelId = channelId;
    if (this.isReady) this.cancelTimeout?.();
    this.events.moved(from, channelId);
  }

  private onStateChange(before: VoiceConnectionState, after: VoiceConnectionState): void {
    const { networking } = after;
    if (networking && networking !== before.networking)
      networking.prependListener('close', (code) => this.onClose(code));
    if (after.status === 'ready') this.cancelTimeout?.();
    else if (before.status === 'ready' && after.status === 'connecting') {
      this.expectIn('The voice server did not take the bot back');
    }
    this.events.changed();
  }

  /** Called before the library acts, which would come back after any code but 4014. */
  private onClose(code: number): void {
    if (this.leaving) return;
    const action = actionFor(code);
    switch (action.kind) {
      case 'recover':
        if (this.recoveries.add()) {
          const text = `the voice server closed the connection again and again (${code})`;
          this.end({ kind: 'fail', code: 'ORGO_DISCORD_FAILED', text }, code);
        } else this.expectIn(`The voice server did not take the bot back after ${code}`);
        return;
      case 'moved-or-kicked':
        this.expect(this.timeouts.moveMs, () => this.end({ kind: 'out', text: action.text }, code));
        return;
      case 'out':
      case 'fail':
        this.end(action, code);
    }
  }

  private end(action: Extract<CloseAction, { kind: 'out' | 'fail' }>, closeCode: number | undefined): void {
    this.leave();
    const code = action.kind === 'fail' ? action.code : 'ORGO_DISCORD_FAILED';
    const text = `${action.text[0]?.toUpperCase() ?? ''}${action.text.slice(1)}`;
    this.events.failed(
      new RelayEnd({ code, text, then: action.kind === 'fail' ? 'retry' : 'out', closeCode }),
    );
  }

  /** Fails with `text` unless the bot is in the channel in time. */
  private expectIn(text: string): void {
    const { joinMs } = this.timeouts;
    const late = `${text} within ${joinMs / 1000} s`;
    this.expect(joinMs, () => this.end({ kind: 'fail', code: 'ORGO_DISCORD_FAILED', text: late }, undefined));
  }

  private expect(ms: number, otherwise: () => void): void {
    this.cancelTimeout?.();
    this.cancelTimeout = this.clock.after(ms, otherwise);
  }
}
