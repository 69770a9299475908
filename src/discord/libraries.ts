/** The optional packages that speak Discord's protocols: what of them is used, and what to do where they are absent. */
import { createRequire } from 'node:module';
import { OrgoError } from '../audio/errors';

/** In the order in which they are named to people. */
const PACKAGES = ['@discordjs/voice', '@discordjs/ws', '@discordjs/rest', '@snazzah/davey'] as const;
/** What `@discordjs/voice` 0.19.2 asks for in its package.json. */
const LEAST_NODE = [22, 12] as const;

/** Its end-to-end encrypted session. */
export interface DaveSession {
  /** 0: the server uses none. */
  readonly protocolVersion: number;
  readonly session?: { readonly ready: boolean };
  readonly voicePrivacyCode: string | null;
}

/** Changed by the library with each packet. */
export interface RtpState {
  timestamp: number;
}

export interface NetworkingState {
  readonly code: number;
  readonly dave?: DaveSession;
  readonly connectionData?: Partial<RtpState>;
}

export interface Networking {
  readonly state: NetworkingState;
  prependListener(event: 'close', listener: (code: number) => void): void;
}

export interface VoiceConnectionState {
  readonly status: 'signalling' | 'connecting' | 'ready' | 'disconnected' | 'destroyed';
  readonly networking?: Networking;
}

export interface VoiceConnection {
  readonly state: VoiceConnectionState;
  readonly joinConfig: { readonly channelId: string | null };
  on(
    event: 'stateChange',
    listener: (before: VoiceConnectionState, after: VoiceConnectionState) => void,
  ): void;
  on(event: 'error', listener: (error: Error) => void): void;
  playOpusPacket(packet: Buffer): boolean | undefined;
  setSpeaking(speaking: boolean): void;
  rejoin(config: { channelId: string }): boolean;
  destroy(): void;
}

export interface AdapterMethods {
  onVoiceServerUpdate(data: unknown): void;
  onVoiceStateUpdate(data: unknown): void;
  destroy(): void;
}

export interface VoiceLibrary {
  joinVoiceChannel(config: {
    guildId: string;
    channelId: string;
    selfDeaf: boolean;
    selfMute: boolean;
    adapterCreator(methods: AdapterMethods): { sendPayload(payload: unknown): boolean; destroy(): void };
  }): VoiceConnection;
}

export interface Rest {
  setToken(token: string): Rest;
  get(route: `/${string}`): Promise<unknown>;
}

/** In milliseconds. `retryAfter` is what a 429 asks for; 0 where it names none. */
export interface RateLimit {
  readonly retryAfter: number;
  readonly timeToReset: number;
}

export interface RestOptions {
  version: string;
  api: string;
  timeout: number;
  retries: number;
  /** Asked before each wait, also after a 429, of which the library's event `rateLimited` says nothing. */
  rejectOnRateLimit: (limit: RateLimit) => boolean;
}

export interface RestLibrary {
  REST: new (options: RestOptions) => Rest;
}

export interface Dispatch {
  readonly t: string;
  readonly d: unknown;
}

export interface GatewayManager {
  on(event: 'dispatch', listener: (payload: Dispatch) => void): void;
  on(event: 'closed', listener: (code: number) => void): void;
  on(event: 'ready' | 'resumed', listener: () => void): void;
  on(event: 'error' | 'socketError', listener: (error: Error) => void): void;
  connect(): Promise<void>;
  destroy(): Promise<void>;
  send(shardId: number, payload: unknown): Promise<void>;
}

export interface GatewayLibrary {
  WebSocketManager: new (options: {
    token: string;
    intents: number;
    rest: Rest;
    shardCount: number;
    shardIds: number[];
    helloTimeout: number;
  }) => GatewayManager;
}

export interface DiscordLibraries {
  readonly voice: VoiceLibrary;
  readonly rest: RestLibrary;
  readonly gateway: GatewayLibrary;
}

/**
 * Loads them; only here, so that whoever has no use for Discord pays nothing.
 * @throws OrgoError `ORGO_DISCORD_UNAVAILABLE` that says what is missing and what to do
 */
export function loadLibraries(
  version = process.versions.node,
  load = createRequire(__filename),
): DiscordLibraries {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const tooOld = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
  if (tooOld) {
    throw new OrgoError(
      'ORGO_DISCORD_UNAVAILABLE',
      `Node.js ${version} runs here, and Discord's voice library needs ${LEAST_NODE.join('.')} or newer. ` +
        'Update Node.js, then reinstall this package in the Node-RED user directory (usually ~/.node-red)',
    );
  }
  const missing: string[] = PACKAGES.filter((name) => !isThere(name, load));
  if (missing.length > 0) {
    throw new OrgoError(
      'ORGO_DISCORD_UNAVAILABLE',
      `Not installed: ${missing.join(', ')}. Run "npm install ${missing.map(withRange).join(' ')}" ` +
        'in the Node-RED user directory (usually ~/.node-red), and restart Node-RED',
    );
  }
  return {
    voice: load('@discordjs/voice') as VoiceLibrary,
    rest: load('@discordjs/rest') as RestLibrary,
    gateway: load('@discordjs/ws') as GatewayLibrary,
  };
}

function isThere(name: string, load: NodeJS.Require): boolean {
  try {
    load.resolve(name);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

/** 0.20 of the voice library wants a newer Node.js, and its insides are others. */
function withRange(name: string): string {
  return name === '@discordjs/voice' ? `${name}@~0.19.2` : name;
}
