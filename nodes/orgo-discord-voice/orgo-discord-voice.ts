/** The node that speaks in a Discord voice channel: it speaks what comes in, joins, leaves and moves when a message asks for it, and reports what happens. */
import { badInput, badSetting } from '../../src/audio/errors';
import { DiscordVoice, type VoiceEvent, type VoiceState } from '../../src/discord/discord-voice';
import type { RelayProgram } from '../../src/discord/relay';
import { actionOf, inWords } from '../shared/audio-description';
import { defineNode, type NodeParts } from '../shared/define-node';
import type { Message, NodeBehaviour, Send } from '../shared/red';
import { StreamNode } from '../shared/stream-node';
import { checkIds, SETTINGS } from './settings';
import { speakStream } from './spoken-stream';
import { silenceReason, wordsFor } from './voice-words';

const NO_TOKEN =
  "No token is set: the bot can't log in. Copy it from Discord's developer portal (Bot > Reset Token) into the node";

/** Sound that is encoded in one go; a few ms of CPU. */
const SLICE_MS = 100;

/** What the node needs from outside, so that tests can control it. */
interface Outside {
  /** How the relay process is started; as this package has it. */
  readonly program?: RelayProgram;
}

interface Speaking {
  readonly voice: DiscordVoice;
  readonly streams: StreamNode;
}

class VoiceNode implements NodeBehaviour {
  /** Undefined without a token. */
  private readonly speaking: Speaking | undefined;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(private readonly parts: NodeParts<typeof SETTINGS, Outside>) {
    const { node, settings, status } = parts;
    const { clock, program } = parts.dependencies;
    checkIds(settings);
    if (settings.token.trim() === '') {
      status.show('error', 'no-token');
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
    const streams = new StreamNode(
      node,
      {
        accepted: { settings, encodings: ['s16le', 'f32le', 'opus'] },
        ...{ outputs: [], sliceMs: SLICE_MS },
        create: () => speakStream(speaker),
      },
      parts.dependencies,
    );
    this.speaking = { voice, streams };
    voice.join();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT`, `ORGO_BAD_SETTING`, `ORGO_DISCORD_FAILED` */
  onInput(msg: Message, send: Send): void | Promise<void> {
    if (!this.speaking) throw badSetting(NO_TOKEN);
    const { voice, streams } = this.speaking;
    const action = msg.action === undefined ? undefined : actionOf(msg, ['join', 'leave']);
    const channelId = msg['channelId'];
    if (channelId !== undefined) {
      if (typeof channelId !== 'string')
        throw badInput(
          `msg.channelId is ${inWords(channelId)}: the id of a voice channel is wanted, as text, since a number can't hold its digits`,
        );
      voice.move(channelId);
    }
    if (action === 'leave') return voice.leave();
    if (action === 'join') voice.join();
    else if (channelId === undefined || Buffer.isBuffer(msg.payload)) return streams.onInput(msg, send);
    return undefined;
  }

  async onClose(): Promise<void> {
    if (!this.speaking) return;
    const { voice, streams } = this.speaking;
    // In this order: what the streams still hold is not spoken.
    const left = voice.close();
    await streams.onClose();
    await left;
  }

  private get topic(): string {
    return this.parts.node.name || this.parts.node.type;
  }

  private onState(state: VoiceState): void {
    this.parts.status.show(...wordsFor(state));
  }

  private onEvent(event: VoiceEvent): void {
    this.parts.node.send({ topic: this.topic, payload: event });
  }
}

export = defineNode(
  'orgo-discord-voice',
  SETTINGS,
  (parts: NodeParts<typeof SETTINGS, Outside>) => new VoiceNode(parts),
);
