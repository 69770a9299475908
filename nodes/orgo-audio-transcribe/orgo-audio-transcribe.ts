/** The node that turns sound into words: one session with the service for each stream. */
import { badInput } from '../../src/audio/errors';
import type { Session } from '../../src/transcribe/session';
import { sessionsOf, type Sessions } from '../../src/transcribe/sessions';
import { TRANSCRIBE_OUTPUTS } from '../../src/transcribe/words';
import { actionOf, descriptionOf, streamNameOf } from '../shared/audio-description';
import { defineNode, type NodeParts } from '../shared/define-node';
import type { Message, NodeBehaviour, Send } from '../shared/red';
import { StreamNode, type TransformContext } from '../shared/stream-node';
import { tlsOptionsOf } from '../shared/tls';
import { SETTINGS } from './settings';
import { wordsFor } from './status-words';
import { Transcription } from './transcription';

/** At most so many streams at once: each may cost money. */
const MAX_SESSIONS = 16;
/** Of Node-RED's 15 s for a deploy. */
const CLOSE_LIMIT_MS = 5000;
/** The last words of a stream may need a few tries. */
const END_TRIES = 4;

interface Outside {
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

class TranscribeNode implements NodeBehaviour {
  private readonly sessions: Sessions;
  private readonly streams: StreamNode;
  private readonly open = new Map<string, Transcription>();
  private isClosing = false;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(private readonly parts: NodeParts<typeof SETTINGS, Outside>) {
    const { RED, node, settings, dependencies } = parts;
    const { clock, random } = dependencies;
    const { service, maxParallel, maxBufferSeconds, timeoutSeconds, tls } = settings;
    this.sessions = sessionsOf({
      ...{ service, maxParallel, clock, random, entered: settings },
      maxBufferMs: maxBufferSeconds * 1000,
      timeoutMs: timeoutSeconds * 1000,
      tls: tlsOptionsOf(RED, tls),
    });
    this.streams = new StreamNode(
      node,
      {
        accepted: { settings, encodings: ['s16le', 'f32le'] },
        ...{ outputs: TRANSCRIBE_OUTPUTS, givesText: true },
        create: (context) => this.create(context),
        onChange: () => this.show(),
        onRefused: () => parts.status.show('error', 'bad-input'),
      },
      dependencies,
    );
    this.show();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  onInput(msg: Message, send: Send): void | Promise<void> {
    if (msg.action !== undefined) return this.act(msg);
    const event = eventIn(msg);
    if (event === undefined) return this.streams.onInput(msg, send);
    if (event['event'] === 'speech-end') this.speechEnd(msg, event);
    return undefined;
  }

  onClose(): void | Promise<void> {
    this.isClosing = true;
    return this.streams.onClose();
  }

  private async act(msg: Message): Promise<void> {
    const action = actionOf(msg, ['connect', 'disconnect', 'finish']);
    const concerned = this.concernedBy(msg);
    if (action === 'finish') await Promise.all(concerned.map((session) => session.finish()));
    else for (const session of concerned) session[action]();
  }

  /** The end of speech, as a detector tells it: of the one stream that it names. */
  private speechEnd(msg: Message, { endPosition }: Readonly<Record<string, unknown>>): void {
    const position = endPosition ?? descriptionOf(msg)?.['position'];
    if (typeof position !== 'number') throw badInput('speech-end says no position');
    for (const session of this.concernedBy(msg)) session.speechEnd(position);
  }

  /** The sessions of the stream that `msg` names; all where it describes none. */
  private concernedBy(msg: Message): Session[] {
    if (!descriptionOf(msg)) return [...this.open.values()].map(({ session }) => session);
    const named = this.open.get(streamNameOf(msg) ?? this.parts.node.id);
    return named ? [named.session] : [];
  }

  private create(context: TransformContext): Transcription {
    const { stream } = context;
    if (this.open.size >= MAX_SESSIONS) {
      throw badInput(
        `${MAX_SESSIONS} streams are transcribed already: ${stream} has no room. End one by msg.complete, or use a second node`,
      );
    }
    const { timeoutSeconds } = this.parts.settings;
    const transcription = new Transcription({
      sessions: this.sessions,
      context,
      endLimitMs: () => (this.isClosing ? CLOSE_LIMIT_MS : END_TRIES * timeoutSeconds * 1000),
      onClose: () => {
        if (this.open.get(stream) === transcription) this.open.delete(stream);
      },
    });
    this.open.set(stream, transcription);
    return transcription;
  }

  private show(): void {
    this.parts.status.show(...wordsFor([...this.open.values()].map(({ session }) => session)));
  }
}

/** What a message tells that brings no sound. */
function eventIn({ payload }: Message): Readonly<Record<string, unknown>> | undefined {
  if (typeof payload !== 'object' || payload === null || Buffer.isBuffer(payload)) return undefined;
  return 'event' in payload && typeof payload.event === 'string' ? { ...payload } : undefined;
}

export = defineNode(
  'orgo-audio-transcribe',
  SETTINGS,
  (parts: NodeParts<typeof SETTINGS, Outside>) => new TranscribeNode(parts),
  { random: Math.random },
);
