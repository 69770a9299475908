/** The node that serves a machine's sound, a test signal, or what the flow feeds it. */
import type { SecureContextOptions } from 'node:tls';
import { systemClock } from '../../src/audio/clock';
import { badInput, errorText, OrgoError } from '../../src/audio/errors';
import { isPcmFrame } from '../../src/audio/frame';
import { FlowSource } from '../../src/capture/flow-source';
import type { SourceState } from '../../src/capture/source';
import { createSource } from '../../src/capture/sources';
import { parseOrigins } from '../../src/server/access';
import { AudioServer } from '../../src/server/audio-server';
import type { ServerEvent } from '../../src/server/events';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { MessageReader } from '../shared/messages/message-reader';
import { describe } from '../shared/messages/message-writer';
import { actionOf } from '../shared/audio-description';
import { defineNode, type NodeParts } from '../shared/define-node';
import type { Message, NodeBehaviour, Red } from '../shared/red';
import type { Dependencies } from '../shared/stream-node';
import { serverTlsOf } from '../shared/tls';
import { addDialogRoutes } from './routes';
import { basePathOf, checkNotEditorPath, listenOnNodeRed, type AudioListener } from './node-red-listener';
import { forgetPlace, keepPlace } from './place';
import { SETTINGS } from './settings';

const TYPE = 'orgo-audio-server';
const STATS_EVERY_MS = 10_000;
/** A port that is taken is tried again this often: its holder may go. */
const LISTEN_AGAIN_MS = 5000;
/** Connections beyond the listeners: more than the server lets wait to be admitted. */
const SPARE_CONNECTIONS = 1200;

class ServerNode implements NodeBehaviour {
  private readonly tls: SecureContextOptions | undefined;
  private readonly audio: AudioServer | undefined;
  private readonly feed: FlowSource | undefined;
  private readonly reader: MessageReader;
  private host: AudioListener | undefined;
  private opening: Promise<void> = Promise.resolve();
  private cancelRetry: (() => void) | undefined;
  private cancelStats: (() => void) | undefined;
  private state: SourceState = { kind: 'idle' };
  private sound = false;
  private stopped = false;
  private closed = false;
  private reported = '';

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(private readonly parts: NodeParts<typeof SETTINGS>) {
    const { RED, node, settings, status } = parts;
    const { clock } = parts.dependencies;
    const allowedOrigins = parseOrigins(settings.allowedOrigins);
    if (settings.listen === 'own') this.tls = serverTlsOf(RED, settings.tls);
    else checkNotEditorPath(RED, settings.path);
    this.reader = new MessageReader({ settings, encodings: ['s16le', 'f32le'] }, clock);
    if (settings.password === '') {
      status.show('error', 'no-password');
      node.error(
        'No password is set: the server does not listen. Set one in the node; listeners send it as token',
      );
      return;
    }
    const source = createSource(settings.source, settings, clock);
    if (source instanceof FlowSource) this.feed = source;
    this.audio = new AudioServer({
      ...{ ...settings, allowedOrigins, source, clock },
      basePath: settings.listen === 'node-red' ? basePathOf(RED) : '',
      pagePath: settings.listenPage ? placeOf(settings, '/listen') : '',
      metricsPath: placeOf(settings, '/metrics'),
      onEvent: (event) => this.onEvent(event),
      onState: (state, sound) => this.onState(state, sound),
      onError: (error) => node.error(error.message, { topic: this.topic }),
    });
    this.warnOfNodeAuth();
    this.scheduleStats(this.audio);
    this.open(this.audio);
  }

  onInput(msg: Message): void {
    if (msg.action === undefined) this.feedIn(msg);
    else this.switchTo(actionOf(msg, ['start', 'stop']));
  }

  async onClose(): Promise<void> {
    this.closed = true;
    this.cancelRetry?.();
    this.cancelStats?.();
    await this.opening;
    await this.audio?.close();
    await this.host?.close();
    forgetPlace(this.parts.node);
  }

  private open(audio: AudioServer): void {
    const { listen, host, port, path, maxListeners } = this.parts.settings;
    this.opening = (async (): Promise<void> => {
      try {
        this.host =
          listen === 'node-red'
            ? listenOnNodeRed(this.parts.RED, audio, path, (error) => this.onNoListening(audio, error))
            : await StandaloneListener.open(audio, {
                host,
                port,
                tls: this.tls,
                maxConnections: maxListeners + SPARE_CONNECTIONS,
              });
        this.reported = '';
        keepPlace(this.parts.node, this.parts.settings);
        this.show();
      } catch (error) {
        this.onNoListening(audio, error);
      }
    })();
  }

  /** The port or path can't be had, or not any more: it is tried again until its holder is gone. */
  private onNoListening(audio: AudioServer, error: unknown): void {
    const { listen, port, path } = this.parts.settings;
    this.host = undefined;
    forgetPlace(this.parts.node);
    this.reportOnce(errorText(error));
    this.parts.status.show('error', listen === 'node-red' ? 'path-taken' : 'port-taken', { port, path });
    if (!this.closed)
      this.cancelRetry = this.parts.dependencies.clock.after(LISTEN_AGAIN_MS, () => this.open(audio));
  }

  /** Node-RED asks for its own user and password, by the header that the API key would come in. */
  private warnOfNodeAuth(): void {
    const { listen, apiKey } = this.parts.settings;
    if (listen !== 'node-red' || apiKey === '' || !this.parts.RED.settings.httpNodeAuth) return;
    this.parts.node.warn(
      'httpNodeAuth is set in settings.js, so Node-RED refuses every request that brings the API key, and the REST routes can not be reached: listen on an own port to use them. The audio WebSocket is not affected',
    );
  }

  private switchTo(action: 'start' | 'stop'): void {
    if (!this.audio)
      throw new OrgoError('ORGO_CANNOT_LISTEN', 'No password is set, so there is nothing to start');
    this.stopped = action === 'stop';
    if (this.stopped) this.audio.stop();
    else this.audio.start();
    this.show();
  }

  private feedIn(msg: Message): void {
    if (!this.feed) {
      throw badInput(
        `This server's source is ${this.parts.settings.source}, so it takes no audio: set its source to input`,
      );
    }
    const { frame, timed } = this.reader.read(msg);
    if (frame && isPcmFrame(frame) && frame.samples > 0 && !this.feed.push(frame, timed)) {
      throw badInput('Ten minutes of sound wait to be played already: this message was dropped');
    }
  }

  private scheduleStats(audio: AudioServer): void {
    this.cancelStats = this.parts.dependencies.clock.after(STATS_EVERY_MS, () => {
      if (!this.stopped) this.onEvent({ event: 'stats', ...audio.takeStats() });
      this.scheduleStats(audio);
    });
  }

  private onEvent(event: ServerEvent): void {
    const { topic } = this;
    if ('place' in event) {
      const { place, ...payload } = event;
      this.parts.node.send({ topic, payload, audio: describe(place, { samples: 0, stream: place.stream }) });
    } else {
      this.parts.node.send({ topic, payload: event });
    }
    if (event.event === 'listener-connected' || event.event === 'listener-left') this.show();
  }

  private onState(state: SourceState, sound: boolean): void {
    this.state = state;
    this.sound = sound;
    if (state.kind === 'lost') this.reportOnce(state.error.message);
    else if (state.kind === 'running') this.reported = '';
    this.show();
  }

  private get topic(): string {
    return this.parts.settings.computerId || this.parts.node.name || TYPE;
  }

  /** Reports a lasting problem once, however often it is met again. */
  private reportOnce(message: string): void {
    if (this.reported === message) return;
    this.reported = message;
    // Without a message of its own, an error reaches no Catch node.
    this.parts.node.error(message, { topic: this.topic });
  }

  private show(): void {
    if (this.closed || !this.host) return;
    const count = this.audio?.listenerCount ?? 0;
    if (this.stopped) {
      this.parts.status.show('off', 'stopped');
      return;
    }
    const { state } = this;
    switch (state.kind) {
      case 'idle':
        this.parts.status.show('ok', 'listening', { port: this.parts.settings.port });
        break;
      case 'starting':
        this.parts.status.show('busy', 'starting');
        break;
      case 'suspended':
        this.parts.status.show('busy', 'suspended', { count, device: state.device });
        break;
      case 'lost':
        this.parts.status.show('error', LOST_WORDS.get(state.error.code) ?? 'capture-lost');
        break;
      case 'running':
        this.parts.status.show('ok', state.muted ? 'muted' : this.sound ? 'sound' : 'silence', {
          count,
          device: state.device,
        });
    }
  }
}

/** What the status says of a capture that can't be had, by the error's code. */
const LOST_WORDS: ReadonlyMap<string, string> = new Map([
  ['ORGO_NO_SOUND_SERVER', 'no-sound-server'],
  ['ORGO_SOUND_ACCESS_DENIED', 'access-denied'],
  ['ORGO_NO_SUCH_DEVICE', 'no-such-device'],
  ['ORGO_CAPTURE_UNSUPPORTED', 'unsupported'],
]);

const register = defineNode(TYPE, SETTINGS, (parts) => new ServerNode(parts));

export = function (RED: Red, given: Partial<Dependencies> = {}): void {
  register(RED, given);
  addDialogRoutes(RED, given.clock ?? systemClock);
};

/** Where `name` is: at the root of an own port, else below the audio WebSocket's path. */
function placeOf(
  { listen, path }: Pick<NodeParts<typeof SETTINGS>['settings'], 'listen' | 'path'>,
  name: string,
): string {
  return listen === 'node-red' ? `${path}${name}` : name;
}
