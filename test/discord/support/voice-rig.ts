/** A Discord voice at the stand-in, with everything that it tells, and ways to wait for it. */
import {
  DiscordVoice,
  type DiscordVoiceOptions,
  type VoiceEvent,
  type VoiceState,
} from '../../../src/discord/discord-voice';
import { systemClock } from '../../../src/audio/clock';
import type { OrgoError } from '../../../src/audio/errors';
import type { AudioFrame } from '../../../src/audio/frame';
import { SoundInput } from '../../../src/discord/sound-input';
import { FRAME_SAMPLES, SILENCE_FRAME, SILENCE_FRAMES_AT_END } from '../../../src/discord/sound-packet';
import { RELAY_TIMEOUTS, type RelayTimeouts } from '../../../src/discord/relay-timeouts';
import { BOT, GUILD, type Heard, type Listener, StandIn, TOKEN, VOICE } from './stand-in';
import type { VoiceSettings } from './voice-server';

type Kind = VoiceState['kind'];
type EventName = VoiceEvent['event'];

export const RATE = 48000;
export const HZ = 440;

/** A test that awaits something for so long awaits what will never be; no machine is slow enough for it. */
const HANG_MS = 120_000;

/** What a rig is given beside the settings of its voice. */
export interface RigOptions {
  /** The waits between log-ins, and all else that the voice does later, come so many times sooner. */
  readonly hurry?: number;
  readonly timeouts?: Partial<RelayTimeouts>;
}

export class VoiceRig {
  readonly states: VoiceState[] = [];
  readonly events: VoiceEvent[] = [];
  readonly errors: OrgoError[] = [];
  readonly voice: DiscordVoice;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly discord: StandIn,
    options: Partial<DiscordVoiceOptions> = {},
    { hurry = 1, timeouts = {} }: RigOptions = {},
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
      {
        program: discord.program,
        random: () => 1,
        clock: { ...systemClock, after: (ms, fn) => systemClock.after(ms / hurry, fn) },
        timeouts: { ...RELAY_TIMEOUTS, ...timeouts },
      },
    );
  }

  /**
   * Resolves once `condition` holds; looked at whenever the voice tells something, and every few ms.
   * @param awaited what it is, for the error of a test that would hang
   */
  async until(awaited: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        clearInterval(timer);
        clearTimeout(hang);
        this.waiting.delete(look);
      };
      const look = (): void => {
        if (!condition()) return;
        stop();
        resolve();
      };
      const timer = setInterval(look, 5);
      const hang = setTimeout(() => {
        stop();
        reject(new Error(`Awaited in vain: ${awaited}. ${this.report()}`));
      }, HANG_MS);
      this.waiting.add(look);
    });
  }

  async state<K extends Kind>(kind: K): Promise<Extract<VoiceState, { kind: K }>> {
    await this.until(`the state ${kind}`, () => this.voice.state.kind === kind);
    return this.voice.state as Extract<VoiceState, { kind: K }>;
  }

  async event<E extends EventName>(name: E): Promise<Extract<VoiceEvent, { event: E }>> {
    await this.until(`the event ${name}`, () => this.events.some(({ event }) => event === name));
    return this.events.find(({ event }) => event === name) as Extract<VoiceEvent, { event: E }>;
  }

  /** What has happened so far. */
  private report(): string {
    const { gateway, voice } = this.discord;
    const states = this.states.map(({ kind }) => kind).join(' ');
    const counts = `${gateway.identifies.length} log-ins, ${voice.identifies.length} joins`;
    const packets = `${voice.receivedFrom(BOT).length} packets`;
    const told = [...this.errors.map(({ message }) => message), ...voice.violations].join('; ');
    return `States: ${states}. ${counts}, ${packets}, a group of ${voice.group.size}. ${told}`;
  }

  /** In the channel, where no encryption is offered. */
  async inChannel(channelId: string): Promise<void> {
    const isThere = (state: VoiceState): boolean => state.kind === 'ready' && state.channelId === channelId;
    await this.until(`the channel ${channelId}`, () => isThere(this.voice.state));
  }

  /** The voice server has got so many packets of the bot. */
  async received(packets: number): Promise<void> {
    await this.until(`${packets} packets`, () => this.discord.voice.receivedFrom(BOT).length >= packets);
  }

  /** The bot has begun to speak and ended so many times. */
  async hasEnded(times: number): Promise<void> {
    const ends = (): number => this.discord.voice.clientOf(BOT).speaking.filter(({ on }) => !on).length;
    await this.until(`end ${times} of the speaking`, () => ends() >= times);
  }

  /** What the bot says now reaches the voice server. */
  async isHeard(): Promise<void> {
    const before = this.discord.voice.receivedFrom(BOT).length;
    this.say(0.2);
    await this.received(before + 10);
  }

  /**
   * Says a word until every listener has heard one, whole to its end: then they know whose packets these are. They
   * learn it over TLS, and leave out what comes over UDP before.
   * @returns how many words that took
   */
  async isKnownTo(listeners: readonly Listener[]): Promise<number> {
    let words = 0;
    do {
      this.say(0.1);
      await this.hasEnded(++words);
    } while (!listeners.every(({ heard }) => heard.some((each) => !isSilence(each))));
    await this.until('the end of a word, heard by all', () =>
      listeners.every(({ heard }) => heard.slice(-SILENCE_FRAMES_AT_END).every(isSilence)),
    );
    return words;
  }

  /** Speaks without a pause while `body` runs. */
  async speakWhile(body: () => Promise<void>): Promise<void> {
    const more = (): void => this.say(0.2);
    more();
    const timer = setInterval(more, 200);
    try {
      await body();
    } finally {
      clearInterval(timer);
    }
    const isOver = (): boolean => this.discord.voice.clientOf(BOT).speaking.at(-1)?.on === false;
    await this.until('the end of the speaking', isOver);
  }

  /** Speaks a tone as a recording: it is queued at once and spoken in real time. */
  say(seconds: number): void {
    const stream = this.voice.openStream('recording');
    for (const frame of encodedTone(seconds)) stream.push(frame);
    stream.end();
  }
}

const encoded = new Map<number, AudioFrame[]>();

/** As Opus, encoded once: a busy machine may encode slower than it is spoken, which would make holes. */
function encodedTone(seconds: number): AudioFrame[] {
  const known = encoded.get(seconds);
  if (known) return known;
  const input = new SoundInput({ bitrate: 64_000, live: false });
  const packets = [...[...tone(seconds)].flatMap((frame) => input.push(frame)), ...input.flush(0)];
  input.close();
  const format = { encoding: 'opus', sampleRate: RATE, channels: 2 } as const;
  const frames = packets.map(({ opus }, i) => ({
    ...{ format, data: opus, samples: FRAME_SAMPLES, position: i * FRAME_SAMPLES },
    ...{ time: 0, gap: 0, latencyMs: 0 },
  }));
  encoded.set(seconds, frames);
  return frames;
}

export function isSilence({ packet }: Heard): boolean {
  return packet.equals(SILENCE_FRAME);
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
  options: RigOptions = {},
): Promise<void> {
  const discord = await StandIn.start(settings);
  const rig = new VoiceRig(discord, prepare(discord), options);
  try {
    await body(rig, discord);
  } finally {
    await rig.voice.close();
    await discord.stop();
  }
}
