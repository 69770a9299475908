/** A source of Opus packets that speaks in a Discord channel, by our relay or by the library's own player; and stalls. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { DiscordVoice } from '../../src/discord/discord-voice';
import type { RelayProgram } from '../../src/discord/relay';
import { SILENCE_FRAME } from '../../src/discord/sound-packet';
import { BLOCK_MS, FRAME_MS, SETTLE_MS, STALL_MS } from './discord-stalls';
import { monotonicMs } from './monotonic';

/** CELT, full band, 20 ms, stereo, one frame. */
const TOC_20_MS = 0xfc;
/** A packet in a second is silent: sound without any pause is encoded anew where it drifts, and its number is lost. */
const PAUSE_EVERY = 50;

export interface SourceOrder {
  readonly speaker: 'ours' | 'player';
  readonly userId: string;
  readonly place: { readonly token: string; readonly guildId: string; readonly channelId: string };
  readonly apiUrl: string;
  readonly endpoint: string;
  readonly program: RelayProgram;
  /** Before the stall. */
  readonly steadyMs: number;
}

/** Packet `n` is of the time `start` + `n` · 20 ms, monotonic, however late it is sent. */
export type SourceReport =
  /** `pid` of the process that sends to Discord. */
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'done'; readonly start: number; readonly dropped: number };

interface Speaker {
  readonly pid: number;
  readonly dropped: number;
  push(opus: Buffer, number: number): void;
  close(): Promise<void>;
}

interface Library {
  joinVoiceChannel(config: object): {
    on(event: string, listener: () => void): void;
    subscribe(player: object): void;
    destroy(): void;
  };
  createAudioPlayer(options: object): { play(resource: object): void };
  createAudioResource(stream: Readable, options: object): object;
}

interface Methods {
  onVoiceServerUpdate(data: object): void;
  onVoiceStateUpdate(data: object): void;
}

async function ours({ place, apiUrl, program }: SourceOrder): Promise<Speaker> {
  let ready: () => void;
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  const voice = new DiscordVoice(
    { ...place, apiUrl },
    {
      onState: ({ kind }) => {
        if (kind === 'ready') ready();
      },
      onEvent: () => undefined,
      onError: (error) => console.error(error.message),
    },
    { program },
  );
  voice.join();
  await isReady;
  const stream = voice.openStream('live');
  const format = { encoding: 'opus', sampleRate: 48000, channels: 2 } as const;
  return {
    pid: voice.relayPid ?? 0,
    get dropped() {
      return voice.stats?.dropped ?? 0;
    },
    push: (data, n) =>
      stream.push({ format, data, samples: 960, position: n * 960, time: 0, gap: 0, latencyMs: 0 }),
    close: () => voice.close(),
  };
}

/** With a longer patience than it has by itself: else a pause of 100 ms ends it. */
async function player({ place, userId, endpoint }: SourceOrder): Promise<Speaker> {
  const library = createRequire(join(process.env['NODE_PATH'] ?? '', 'x'))('@discordjs/voice') as Library;
  const { guildId, channelId } = place;
  let methods: Methods | undefined;
  const connection = library.joinVoiceChannel({
    ...{ guildId, channelId, selfDeaf: true, selfMute: false },
    adapterCreator: (given: Methods) => {
      methods = given;
      return { sendPayload: () => true, destroy: () => undefined };
    },
  });
  const isReady = new Promise<void>((resolve) => connection.on('ready', resolve));
  const ids = { guild_id: guildId, channel_id: channelId, user_id: userId, session_id: userId };
  methods?.onVoiceStateUpdate(ids);
  methods?.onVoiceServerUpdate({ guild_id: guildId, token: 'voice-token', endpoint });
  await isReady;
  const stream = new Readable({ objectMode: true, read: () => undefined });
  const audioPlayer = library.createAudioPlayer({ behaviors: { maxMissedFrames: 1000 } });
  connection.subscribe(audioPlayer);
  audioPlayer.play(library.createAudioResource(stream, { inputType: 'opus' }));
  return {
    ...{ pid: process.pid, dropped: 0 },
    push: (opus) => void stream.push(opus),
    close: () => {
      connection.destroy();
      return Promise.resolve();
    },
  };
}

/** What is due is sent as soon as the event loop turns, but nothing while the source stalls. */
async function speak(speaker: Speaker, steadyMs: number): Promise<number> {
  const stallAt = steadyMs;
  const blockAt = stallAt + STALL_MS + SETTLE_MS;
  const endAt = blockAt + BLOCK_MS + SETTLE_MS;
  const start = monotonicMs();
  let blocked = false;
  for (let n = 0; n * FRAME_MS < endAt; n++) {
    const due = n * FRAME_MS;
    const stalls = due >= stallAt && due < stallAt + STALL_MS;
    await delay(Math.max(0, start + (stalls ? stallAt + STALL_MS : due) - monotonicMs()));
    if (due >= blockAt && !blocked) {
      blocked = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
    }
    speaker.push(n % PAUSE_EVERY === 0 ? SILENCE_FRAME : packetOf(n), n);
  }
  return start;
}

function packetOf(n: number): Buffer {
  const opus = Buffer.alloc(160, 1);
  opus[0] = TOC_20_MS;
  opus.writeUInt32BE(n, 1);
  return opus;
}

function report(message: SourceReport): void {
  process.send?.(message);
}

async function run(order: SourceOrder): Promise<void> {
  const speaker = await (order.speaker === 'ours' ? ours(order) : player(order));
  report({ kind: 'ready', pid: speaker.pid });
  const start = await speak(speaker, order.steadyMs);
  report({ kind: 'done', start, dropped: speaker.dropped });
  await speaker.close();
  process.exit();
}

process.once('message', (order) => void run(order as SourceOrder));
