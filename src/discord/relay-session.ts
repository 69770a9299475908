/** One stay at Discord, in the relay process: log in, check, join, speak, leave. It ends with its first failure. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../audio/clock';
import { checkChannel } from './channel-check';
import { failureOf, RelayEnd } from './failure';
import { GatewayLogin } from './gateway-login';
import type { DiscordLibraries } from './libraries';
import { Pacer } from './pacer';
import { readPacket, type FromRelay, type RelayStart, type RelayState, type ToRelay } from './relay-messages';
import { VoiceLink } from './voice-link';

const STATS_EVERY_MS = 1000;
/** While nothing is spoken, the session is asked this often whether it still encrypts; the library has no event for it. */
const IDLE_CHECK_MS = 100;

export class RelaySession {
  private readonly pacer: Pacer;
  private readonly login: GatewayLogin;
  private link: VoiceLink | undefined;
  private userId: string | undefined;
  private reported: RelayState | undefined;
  private isOver = false;
  private cancelTick: (() => void) | undefined;

  constructor(
    private readonly start: RelayStart,
    private readonly libraries: DiscordLibraries,
    private readonly clock: Clock,
    private readonly report: (message: FromRelay) => void,
  ) {
    this.pacer = new Pacer(start, {
      send: (opus, rtpTime) => this.link?.play(opus, rtpTime),
      setSpeaking: (speaking) => this.link?.setSpeaking(speaking),
    });
    this.login = new GatewayLogin(libraries, start, clock, {
      dispatch: ({ t, d }) => this.link?.onDispatch(t, d),
      renewed: () => {
        this.report({ kind: 'logged-in-anew' });
        this.link?.rejoin();
      },
      closed: (code) => this.reportState({ step: 'reconnecting', why: `the gateway closed (${code})` }),
      resumed: () => this.reportLink(),
      failed: (thrown) => this.fail(thrown),
      rateLimited: (retryAfterMs) => this.report({ kind: 'rate-limited', retryAfterMs }),
    });
  }

  /** Runs until told to leave, or until it fails: then `failed` was the last report. */
  async run(): Promise<void> {
    this.reportState({ step: 'logging-in' });
    this.tick();
    this.reportStats();
    try {
      const { userId, guildIds } = await this.login.connect();
      this.userId = userId;
      if (!guildIds.includes(this.start.guildId)) throw notAMember(this.start.guildId);
      await checkChannel(this.login.rest, this.start, userId);
      if (!this.isOver) this.join(userId);
    } catch (error) {
      this.fail(error);
    }
  }

  onMessage(message: ToRelay | Uint8Array): void {
    if (message instanceof Uint8Array) {
      const wasBusy = this.isBusy();
      this.pacer.push(readPacket(message), this.clock.now());
      // While nothing may leave, packets wake nobody: else a live source would put off for ever the tick that opens.
      if (!wasBusy && this.isBusy() && !this.isOver) this.scheduleTick();
      return;
    }
    switch (message.kind) {
      case 'move':
        void this.move(message.channelId);
        return;
      case 'end':
        this.pacer.end();
        return;
      case 'start':
      case 'leave':
        return;
    }
  }

  /** Leaves the channel and logs out. */
  async leave(): Promise<void> {
    this.isOver = true;
    this.cancelTick?.();
    this.link?.leave();
    await this.login.close();
  }

  /** Ends it with a reason. */
  fail(thrown: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.cancelTick?.();
    this.report({ kind: 'failed', failure: failureOf(thrown) });
  }

  private join(userId: string): void {
    this.reportState({ step: 'joining' });
    const { guildId, channelId, timeouts } = this.start;
    this.link = new VoiceLink(this.libraries.voice, { guildId, userId }, channelId, timeouts, this.clock, {
      changed: () => this.reportLink(),
      moved: (from, to) => {
        this.report({ kind: 'moved', from, to });
        this.reportLink();
      },
      failed: (thrown) => this.fail(thrown),
      send: (payload) => this.login.send(payload),
    });
  }

  private async move(channelId: string): Promise<void> {
    if (!this.link || this.userId === undefined || channelId === this.link.channel) return;
    try {
      await checkChannel(this.login.rest, { guildId: this.start.guildId, channelId }, this.userId);
      this.link.move(channelId);
    } catch (error) {
      this.report({ kind: 'refused', failure: failureOf(error) });
    }
  }

  private reportLink(): void {
    const { link } = this;
    if (!link || this.isOver) return;
    if (link.isReady)
      this.reportState({ step: 'ready', channelId: link.channel, encryption: link.encryption });
    else if (this.reported?.step === 'ready')
      this.reportState({ step: 'reconnecting', why: 'the voice server is being changed or resumed' });
  }

  private reportState(state: RelayState): void {
    if (this.isOver || (this.reported && isDeepStrictEqual(state, this.reported))) return;
    this.reported = state;
    this.report({ kind: 'state', state });
  }

  private isBusy(): boolean {
    return this.pacer.nextDue !== undefined;
  }

  /** On the pacer's grid while there is sound; else just often enough to see encryption begin and end. */
  private tick(): void {
    const now = this.clock.now();
    const { link } = this;
    this.pacer.setOpen(link?.isReady === true && link.encryption !== 'waiting');
    if (link?.isReady === true && !this.hasReported(link)) this.reportLink();
    const due = this.pacer.nextDue;
    if (due !== undefined && due <= now) this.pacer.tick(now);
    this.scheduleTick();
  }

  private scheduleTick(): void {
    this.cancelTick?.();
    const now = this.clock.now();
    const wait = (this.pacer.nextDue ?? now + IDLE_CHECK_MS) - now;
    // A timer cuts fractions off, and would now and then wake up just before the frame is due, only to wait again.
    this.cancelTick = this.clock.after(Math.max(0, Math.ceil(wait)), () => this.tick());
  }

  /** Whether the last report says what `link`, which is ready, is. */
  private hasReported({ channel, encryption }: VoiceLink): boolean {
    const { reported } = this;
    return reported?.step === 'ready' && reported.channelId === channel && reported.encryption === encryption;
  }

  private reportStats(): void {
    if (this.isOver) return;
    this.report({ kind: 'stats', stats: this.pacer.stats });
    this.clock.after(STATS_EVERY_MS, () => this.reportStats());
  }
}

function notAMember(guildId: string): RelayEnd {
  return new RelayEnd({
    code: 'ORGO_DISCORD_FORBIDDEN',
    text: `The bot is no member of the server ${guildId}. Invite it with the link from the developer portal (OAuth2 > URL Generator: bot; Connect, Speak, View Channel)`,
    then: 'retry',
  });
}
