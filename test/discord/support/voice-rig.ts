/** A Discord voice at the stand-in, with everything that it tells, and ways to wait for it. */
import {
  DiscordVoice,
  type DiscordVoiceOptions,
  type VoiceEvent,
  type VoiceState,
} from '../../../src/discord/discord-voice';
import type { OrgoError } from '../../../src/audio/errors';
import type { AudioFrame } from '../../../src/audio/frame';
import { GUILD, StandIn, TOKEN, VOICE } from './stand-in';
import type { VoiceSettings } from './voice-server';

type Kind = VoiceState['kind'];
type EventName = VoiceEvent['event'];

export const RATE = 48000;
export const HZ = 440;

export class VoiceRig {
  readonly states: VoiceState[] = [];
  readonly events: VoiceEvent[] = [];
  readonly errors: OrgoError[] = [];
  readonly voice: DiscordVoice;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly discord: StandIn,
    options: Partial<DiscordVoiceOptions> = {},
  ) {
    const told = (): void => this.waiting.forEach((look) => look());
    this.voice = new DiscordVoice(
      { token: TOKEN, guildId: GUILD, channelId: VOICE, apiUrl: discord.gateway.apiUrl, ...options },
      {
        onState: (state) => {
          this.states.push(state);
          told();
        },
        onEvent: (event) => {
          this.events.push(event);
          told();
        },
        onError: (error) => {
          this.errors.push(error);
          told();
        },
      },
      { program: discord.program, random: () => 0 },
    );
  }

  /** Resolves once `condition` holds; looked at whenever the voice tells something, and every few ms. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        clearInterval(timer);
        this.waiting.delete(look);
        resolve();
      };
      const timer = setInterval(look, 5);
      this.waiting.add(look);
    });
  }

  async state<K extends Kind>(kind: K): Promise<Extract<VoiceState, { kind: K }>> {
    await this.until(() => this.voice.state.kind === kind);
    return this.voice.state as Extract<VoiceState, { kind: K }>;
  }

  async event<E extends EventName>(name: E): Promise<Extract<VoiceEvent, { event: E }>> {
    await this.until(() => this.events.some(({ event }) => event === name));
    return this.events.find(({ event }) => event === name) as Extract<VoiceEvent, { event: E }>;
  }

  /** Speaks a tone as a recording: it is queued at once and spoken in real time. */
  say(seconds: number): void {
    const stream = this.voice.openStream('recording');
    for (const frame of tone(seconds)) stream.push(frame);
    stream.end();
  }
}

/** A tone of 440 Hz at a quarter of full scale, in messages of 20 ms. */
export function* tone(seconds: number): Generator<AudioFrame> {
  for (let position = 0; position < seconds * RATE; position += 960) {
    const data = Buffer.alloc(960 * 2);
    for (let i = 0; i < 960; i++)
      data.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * HZ * (position + i)) / RATE)), i * 2);
    const format = { encoding: 's16le', sampleRate: RATE, channels: 1 } as const;
    yield { format, data, samples: 960, position, time: 0, gap: 0, latencyMs: 0 };
  }
}

/** Runs `body` with a stand-in Discord and a voice at it, and ends both. */
export async function withVoice(
  settings: Partial<VoiceSettings>,
  body: (rig: VoiceRig, discord: StandIn) => Promise<void>,
  prepare: (discord: StandIn) => Partial<DiscordVoiceOptions> = () => ({}),
): Promise<void> {
  const discord = await StandIn.start(settings);
  const rig = new VoiceRig(discord, prepare(discord));
  try {
    await body(rig, discord);
  } finally {
    await rig.voice.close();
    await discord.stop();
  }
}
