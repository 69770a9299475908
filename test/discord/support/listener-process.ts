/** A second real client, on Node 24: it hears the bot through Discord's own library, decrypted end to end. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Connection {
  readonly receiver: {
    subscribe(
      userId: string,
      options: object,
    ): { on(event: 'data', listener: (packet: Buffer) => void): void };
  };
  on(event: string, listener: (...args: unknown[]) => void): void;
  destroy(): void;
}

interface Library {
  joinVoiceChannel(config: object): Connection;
}

interface Order {
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string;
  readonly endpoint: string;
  readonly speaker: string;
}

interface Methods {
  onVoiceServerUpdate(data: object): void;
  onVoiceStateUpdate(data: object): void;
}

function listen(order: Order): void {
  const { userId, channelId, guildId, endpoint, speaker } = order;
  const load = createRequire(join(process.env['NODE_PATH'] ?? '', 'x'));
  const library = load('@discordjs/voice') as Library;
  let methods: Methods | undefined;
  const connection = library.joinVoiceChannel({
    ...{ guildId, channelId, selfDeaf: false, selfMute: true },
    adapterCreator: (given: Methods) => {
      methods = given;
      return { sendPayload: () => true, destroy: () => undefined };
    },
  });
  connection.on('ready', () => process.send?.({ kind: 'ready' }));
  connection.on('error', (error) => process.send?.({ kind: 'error', text: String(error) }));
  const stream = connection.receiver.subscribe(speaker, { end: { behavior: 0 } });
  stream.on('data', (packet) => process.send?.(packet));
  methods?.onVoiceStateUpdate({
    guild_id: guildId,
    channel_id: channelId,
    user_id: userId,
    session_id: userId,
  });
  methods?.onVoiceServerUpdate({ guild_id: guildId, token: 'voice-token', endpoint });
  process.on('disconnect', () => process.exit());
}

process.once('message', (order) => listen(order as Order));
