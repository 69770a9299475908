/** The bot's log-in at Discord's main gateway, in the relay process. */
import type { Clock } from '../audio/clock';
import { badToken, RelayEnd } from './failure';
import { Frequent } from '../audio/frequent';
import type { DiscordLibraries, Dispatch, GatewayManager, RateLimit, Rest } from './libraries';
import type { RelayStart } from './relay-messages';

/** Guilds and GuildVoiceStates: neither is privileged. */
const INTENTS = (1 << 0) | (1 << 7);
/** The library comes back half a second after each close, for ever; more than this is no accident. */
const CLOSES_A_MINUTE = 5;
const MINUTE_MS = 60_000;
/** Each new session is a log-in, and Discord counts those of a day. */
const NEW_SESSIONS_AN_HOUR = 5;
const HOUR_MS = 60 * MINUTE_MS;

export interface LoggedIn {
  readonly userId: string;
  readonly guildIds: readonly string[];
}

export interface GatewayEvents {
  dispatch(payload: Dispatch): void;
  /** A new session: what the old one had joined is gone. */
  renewed(): void;
  closed(code: number): void;
  resumed(): void;
  failed(thrown: unknown): void;
  rateLimited(retryAfterMs: number): void;
}

interface ReadyData {
  readonly user: { readonly id: string };
  readonly guilds: readonly { readonly id: string }[];
}

export class GatewayLogin {
  readonly rest: Rest;
  private readonly manager: GatewayManager;
  private readonly closes: Frequent;
  private readonly newSessions: Frequent;
  private first: ((data: ReadyData) => void) | undefined;

  constructor(
    libraries: DiscordLibraries,
    private readonly start: Pick<RelayStart, 'token' | 'apiUrl' | 'timeouts'>,
    private readonly clock: Clock,
    private readonly events: GatewayEvents,
  ) {
    const { token, apiUrl, timeouts } = start;
    const rejectOnRateLimit = ({ retryAfter, timeToReset }: RateLimit): boolean => {
      events.rateLimited(retryAfter || timeToReset);
      return false;
    };
    const options = { version: '10', api: apiUrl, timeout: timeouts.answerMs, retries: 1, rejectOnRateLimit };
    this.rest = new libraries.rest.REST(options).setToken(token);
    this.closes = new Frequent(CLOSES_A_MINUTE, MINUTE_MS, clock);
    this.newSessions = new Frequent(NEW_SESSIONS_AN_HOUR, HOUR_MS, clock);
    this.manager = new libraries.gateway.WebSocketManager({
      ...{ token, intents: INTENTS, rest: this.rest },
      ...{ shardCount: 1, shardIds: [0], helloTimeout: timeouts.answerMs },
    });
    this.manager.on('dispatch', (payload) => this.onDispatch(payload));
    this.manager.on('closed', (code) => this.onClosed(code));
    this.manager.on('resumed', () => events.resumed());
    this.manager.on('error', (error) => events.failed(asFailure(error)));
    this.manager.on('socketError', (error) => this.onSocketError(error));
  }

  /** Resolves once Discord has greeted the bot. A failure is reported by the events as well. */
  async connect(): Promise<LoggedIn> {
    const ready = new Promise<ReadyData>((resolve) => (this.first = resolve));
    const { loginMs } = this.start.timeouts;
    const cancel = this.clock.after(loginMs, () =>
      this.events.failed(new Error(`the log-in took longer than ${loginMs / 1000} s`)),
    );
    try {
      await this.manager.connect();
      const { user, guilds } = await ready;
      return { userId: user.id, guildIds: guilds.map(({ id }) => id) };
    } finally {
      cancel();
    }
  }

  send(payload: unknown): void {
    this.manager.send(0, payload).catch((error: unknown) => this.events.failed(error));
  }

  async close(): Promise<void> {
    await this.manager.destroy();
  }

  private onDispatch(payload: Dispatch): void {
    if (payload.t === 'READY') {
      if (this.first) this.first(payload.d as ReadyData);
      else this.onNewSession();
      this.first = undefined;
    }
    this.events.dispatch(payload);
  }

  private onNewSession(): void {
    this.events.renewed();
    if (this.newSessions.add())
      this.events.failed(new Error('the gateway ended the session again and again'));
  }

  private onClosed(code: number): void {
    if (code === 4004) this.events.failed(new RelayEnd(badToken()));
    else if (this.closes.add()) this.events.failed(new Error(`the gateway closed again and again (${code})`));
    else this.events.closed(code);
  }

  private onSocketError(error: Error): void {
    if (this.closes.add()) this.events.failed(error);
  }
}

function asFailure(error: Error): Error {
  return error.message === 'Authentication failed' ? new RelayEnd(badToken()) : error;
}
