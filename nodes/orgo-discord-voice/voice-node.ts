/** What the node does: speaks what comes in, joins, leaves and moves as told, and says what happens. */
import { OrgoError } from '../../src/audio/errors';
import { DiscordVoice, type VoiceEvent, type VoiceState } from '../../src/discord/discord-voice';
import type { RelayProgram } from '../../src/discord/relay';
import { inWords } from '../shared/audio-description';
import type { Message, NodeBehaviour, NodeConfig, Red, RedNode } from '../shared/red';
import { StatusLine } from '../shared/status';
import type { Dependencies } from '../shared/stream-node';
import { readSettings } from './settings';
import { SpokenStreams } from './spoken-streams';
import { silenceReason, wordsFor } from './voice-words';

const NO_TOKEN =
  "No token is set: the bot can't log in. Copy it from Discord's developer portal (Bot > Reset Token) into the node";

export interface VoiceNodeDependencies extends Dependencies {
  /** How the relay process is started; as this package has it. */
  readonly program?: RelayProgram;
}

interface Speaking {
  readonly voice: DiscordVoice;
  readonly streams: SpokenStreams;
}

export class VoiceNode implements NodeBehaviour {
  private readonly status: StatusLine;
  /** Undefined without a token. */
  private readonly speaking: Speaking | undefined;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    RED: Red,
    private readonly node: RedNode,
    config: NodeConfig,
    { clock, defer, program }: VoiceNodeDependencies,
  ) {
    const settings = readSettings(config, node.credentials);
    this.status = new StatusLine(RED, node, clock);
    if (settings.token.trim() === '') {
      this.status.show('error', 'no-token');
      node.error(NO_TOKEN);
      return;
    }
    const voice = new DiscordVoice(
      { ...settings, token: settings.token.trim() },
      {
        onState: (state) => this.onState(state),
        onEvent: (event) => this.onEvent(event),
        // Without a message of its own, an error reaches no Catch node.
        onError: (error) => node.error(error.message, { topic: this.topic }),
      },
      { clock, ...(program && { program }) },
    );
    const speaker = {
      openStream: (kind: 'live' | 'recording') => voice.openStream(kind),
      silenceReason: () => silenceReason(voice.state),
    };
    this.speaking = { voice, streams: new SpokenStreams(speaker, settings, clock, defer) };
    voice.join();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT`, `ORGO_BAD_SETTING`, `ORGO_DISCORD_FAILED` */
  onInput(msg: Message): void | Promise<void> {
    if (!this.speaking) throw new OrgoError('ORGO_BAD_SETTING', NO_TOKEN);
    const { voice, streams } = this.speaking;
    const { action } = msg;
    const channelId = msg['channelId'];
    if (action !== undefined && action !== 'join' && action !== 'leave')
      throw new OrgoError('ORGO_BAD_INPUT', `msg.action is ${inWords(action)}: it must be join or leave`);
    if (channelId !== undefined) {
      if (typeof channelId !== 'string')
        throw new OrgoError(
          'ORGO_BAD_INPUT',
          `msg.channelId is ${inWords(channelId)}: the id of a voice channel is wanted, as text, since a number can't hold its digits`,
        );
      voice.move(channelId);
    }
    if (action === 'leave') return voice.leave();
    if (action === 'join') voice.join();
    else if (channelId === undefined || Buffer.isBuffer(msg.payload)) return streams.take(msg);
    return undefined;
  }

  async onClose(): Promise<void> {
    this.speaking?.streams.close();
    await this.speaking?.voice.close();
    this.status.close();
  }

  private get topic(): string {
    return this.node.name || this.node.type;
  }

  private onState(state: VoiceState): void {
    this.status.show(...wordsFor(state));
  }

  private onEvent(event: VoiceEvent): void {
    this.node.send({ topic: this.topic, payload: event });
  }
}
