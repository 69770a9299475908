/** A stand-in for Discord: REST, main gateway, voice server, on this machine. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RelayProgram } from '../../../src/discord/relay';
import { ROOT } from '../../support/packed-package';
import { certificate } from './certificate';
import { MainGateway, MAY_SPEAK, type Channel } from './main-gateway';
import { MODULES, NODE_24 } from './newer-node';
import { VoiceServer, type VoiceSettings } from './voice-server';

export const GUILD = '100000000000000001';
export const OTHER_GUILD = '100000000000000002';
export const VOICE = '200000000000000001';
export const OTHER_VOICE = '200000000000000002';
export const TEXT = '200000000000000003';
export const ELSEWHERE = '200000000000000004';
export const BOT = '300000000000000001';
export const LISTENERS = ['300000000000000002', '300000000000000003'] as const;
export const TOKEN = 'MzAw.test-token.of-a-bot';

function channel(id: string, type: number, name: string, guild = GUILD): Channel {
  return { id, type, guild_id: guild, name, permission_overwrites: [] };
}

/** What a listening client heard. */
export interface Heard {
  readonly at: number;
  readonly packet: Buffer;
}

export interface Listener {
  readonly heard: Heard[];
  readonly errors: string[];
  leave(): Promise<void>;
}

export class StandIn {
  private readonly leavers: (() => Promise<void>)[] = [];

  private constructor(
    readonly gateway: MainGateway,
    readonly voice: VoiceServer,
  ) {}

  static async start(settings: Partial<VoiceSettings> = {}): Promise<StandIn> {
    const all: VoiceSettings = { modes: ['aead_aes256_gcm_rtpsize'], daveVersion: 1, ...settings };
    const voice = new VoiceServer(all, certificate(), BigInt(VOICE));
    await voice.listen();
    const gateway = new MainGateway(
      {
        tokens: new Map([[TOKEN, BOT]]),
        guildIds: [GUILD, OTHER_GUILD],
        channels: [
          channel(VOICE, 2, 'General'),
          channel(OTHER_VOICE, 2, 'Music'),
          channel(TEXT, 0, 'chat'),
          channel(ELSEWHERE, 2, 'Elsewhere', OTHER_GUILD),
        ],
        rolePermissions: MAY_SPEAK,
        rateLimit: { times: 0, retryAfterS: 0 },
        voiceEndpoint: voice.endpoint,
        silent: undefined,
        withholdVoiceServer: false,
        refuseWith: undefined,
      },
      ({ userId }) =>
        voice.clients
          .filter((client) => client.userId === userId)
          .forEach(({ socket }) => socket.close(4014)),
    );
    await gateway.listen();
    return new StandIn(gateway, voice);
  }

  /** Runs the relay as it is built, on Node 24, with Discord's libraries, trusting the stand-in's certificate. */
  get program(): RelayProgram {
    const modulePath = join(ROOT, 'dist', 'src', 'discord', 'relay-process.js');
    if (!existsSync(modulePath)) throw new Error('nothing is built: npm run build');
    return {
      modulePath,
      execPath: NODE_24,
      execArgv: [],
      env: this.env,
    };
  }

  /** A real client that hears the bot. Resolves once it is in the channel. */
  async listen(userId: string): Promise<Listener> {
    const child = fork(join(__dirname, 'listener-process.ts'), [], {
      ...{ execPath: NODE_24, execArgv: ['--import', 'tsx'], env: this.env, serialization: 'advanced' },
    });
    const heard: Heard[] = [];
    const errors: string[] = [];
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const leave = async (): Promise<void> => {
      child.kill('SIGKILL');
      await gone;
    };
    this.leavers.push(leave);
    await new Promise<void>((resolve) => {
      child.on('message', (message: Uint8Array | { kind: string; text?: string }) => {
        if (message instanceof Uint8Array)
          heard.push({ at: performance.now(), packet: Buffer.from(message) });
        else if (message.kind === 'ready') resolve();
        else errors.push(message.text ?? '');
      });
      child.send({ userId, channelId: VOICE, guildId: GUILD, endpoint: this.voice.endpoint, speaker: BOT });
    });
    return { heard, errors, leave };
  }

  async stop(): Promise<void> {
    await Promise.all(this.leavers.map((leave) => leave()));
    await this.gateway.close();
    await this.voice.close();
  }

  private get env(): NodeJS.ProcessEnv {
    return {
      ...{ ...process.env, NODE_EXTRA_CA_CERTS: certificate().path, NODE_PATH: MODULES },
      // Each test starts a relay or two: they need not compile the libraries each time.
      NODE_COMPILE_CACHE: join(ROOT, '.tmp', 'compile-cache'),
    };
  }
}
