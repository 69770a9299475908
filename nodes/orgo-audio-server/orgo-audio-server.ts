/** The node that serves a machine's sound, a test signal, or what the flow feeds it. */
import type { SecureContextOptions } from 'node:tls';
import { systemClock, type Clock } from '../../src/audio/clock';
import { errorText, OrgoError } from '../../src/audio/errors';
import { isPcmFrame } from '../../src/audio/frame';
import { FlowSource } from '../../src/capture/flow-source';
import type { Source, SourceState } from '../../src/capture/source';
import { createSource } from '../../src/capture/sources';
import { AudioServer } from '../../src/server/audio-server';
import type { ServerEvent } from '../../src/server/events';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { MessageReader } from '../shared/messages/message-reader';
import { describe } from '../shared/messages/message-writer';
import {
  registerNode,
  type Message,
  type NodeBehaviour,
  type NodeConfig,
  type Red,
  type RedNode,
} from '../shared/red';
import { credentialsOf } from '../shared/settings';
import { StatusLine } from '../shared/status';
import { serverTlsOf } from '../shared/tls';
import { basePathOf, checkNotEditorPath, listenOnNodeRed, type AudioListener } from './node-red-listener';
import { readServerSettings, type ServerSettings, SETTINGS } from './settings';

const TYPE = 'orgo-audio-server';
const STATS_EVERY_MS = 10_000;
/** A port that is taken is tried again this often: its holder may go. */
const LISTEN_AGAIN_MS = 5000;
/** Connections beyond the listeners: more than the server lets wait to be admitted. */
const SPARE_CONNECTIONS = 1200;

/** What the node needs from outside, so that tests can control it. */
interface Dependencies {
  readonly clock: Clock;
}

export = function (RED: Red, { clock }: Dependencies = { clock: systemClock }): void {
  registerNode(
    RED,
    TYPE,
    { credentials: credentialsOf(SETTINGS) },
    (node, config) => new ServerNode(RED, node, config, clock),
  );
};

class ServerNode implements NodeBehaviour {
  private readonly settings: ServerSettings;
  private readonly tls: SecureContextOptions | undefined;
  private readonly status: StatusLine;
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

  constructor(
    private readonly RED: Red,
    private readonly node: RedNode,
    config: NodeConfig,
    private readonly clock: Clock,
  ) {
    this.settings = readServerSettings(config, node.credentials);
    if (this.settings.listen === 'own') this.tls = serverTlsOf(RED, this.settings.tls);
    else checkNotEditorPath(RED, this.settings.path);
    this.status = new StatusLine(RED, node, clock);
    this.reader = new MessageReader({ settings: this.settings, encodings: ['s16le', 'f32le'] }, clock);
    if (this.settings.password === '') {
      this.status.show('error', 'no-password');
      node.error(
        'No password is set: the server does not listen. Set one in the node; listeners send it as token',
      );
      return;
    }
    const source = createSource(this.settings.source, this.settings, clock);
    if (source instanceof FlowSource) this.feed = source;
    this.audio = this.createAudioServer(source);
    this.warnOfNodeAuth();
    this.scheduleStats(this.audio);
    this.open(this.audio);
  }

  onInput(msg: Message): void {
    const { action } = msg;
    if (action === 'start' || action === 'stop') {
      this.switchTo(action);
      return;
    }
    if (action !== undefined) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `msg.action is ${JSON.stringify(action)}: it must be start or stop`,
      );
    }
    this.feedIn(msg);
  }

  async onClose(): Promise<void> {
    this.closed = true;
    this.cancelRetry?.();
    this.cancelStats?.();
    await this.opening;
    await this.audio?.close();
    await this.host?.close();
    this.status.close();
  }

  private createAudioServer(source: Source): AudioServer {
    const { listen, ...settings } = this.settings;
    return new AudioServer({
      ...settings,
      source,
      clock: this.clock,
      basePath: listen === 'node-red' ? basePathOf(this.RED) : '',
      onEvent: (event) => this.onEvent(event),
      onState: (state, sound) => this.onState(state, sound),
      onError: (error) => this.node.error(error.message, { topic: this.topic }),
    });
  }

  private open(audio: AudioServer): void {
    const { listen, host, port, path, maxListeners } = this.settings;
    this.opening = (async (): Promise<void> => {
      try {
        this.host =
          listen === 'node-red'
            ? listenOnNodeRed(this.RED, audio, path, (error) => this.onNoListening(audio, error))
            : await StandaloneListener.open(audio, {
                host,
                port,
                tls: this.tls,
                maxConnections: maxListeners + SPARE_CONNECTIONS,
              });
        this.reported = '';
        this.show();
      } catch (error) {
        this.onNoListening(audio, error);
      }
    })();
  }

  /** The port or path can't be had, or not any more: it is tried again until its holder is gone. */
  private onNoListening(audio: AudioServer, error: unknown): void {
    const { listen, port, path } = this.settings;
    this.host = undefined;
    this.reportOnce(errorText(error));
    this.status.show('error', listen === 'node-red' ? 'path-taken' : 'port-taken', { port, path });
    if (!this.closed) this.cancelRetry = this.clock.after(LISTEN_AGAIN_MS, () => this.open(audio));
  }

  /** Node-RED asks for its own user and password, by the header that the API key would come in. */
  private warnOfNodeAuth(): void {
    const { listen, apiKey } = this.settings;
    if (listen !== 'node-red' || apiKey === '' || !this.RED.settings.httpNodeAuth) return;
    this.node.warn(
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
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `This server's source is ${this.settings.source}, so it takes no audio: set its source to input`,
      );
    }
    const { frame, timed } = this.reader.read(msg);
    if (frame && isPcmFrame(frame) && frame.samples > 0 && !this.feed.push(frame, timed)) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        'Ten minutes of sound wait to be played already: this message was dropped',
      );
    }
  }

  private scheduleStats(audio: AudioServer): void {
    this.cancelStats = this.clock.after(STATS_EVERY_MS, () => {
      if (!this.stopped) this.onEvent({ event: 'stats', ...audio.takeStats() });
      this.scheduleStats(audio);
    });
  }

  private onEvent(event: ServerEvent): void {
    const { topic } = this;
    if ('place' in event) {
      const { place, ...payload } = event;
      this.node.send({ topic, payload, audio: describe(place, { samples: 0, stream: place.stream }) });
    } else {
      this.node.send({ topic, payload: event });
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
    return this.settings.computerId || this.node.name || TYPE;
  }

  /** Reports a lasting problem once, however often it is met again. */
  private reportOnce(message: string): void {
    if (this.reported === message) return;
    this.reported = message;
    // Without a message of its own, an error reaches no Catch node.
    this.node.error(message, { topic: this.topic });
  }

  private show(): void {
    if (this.closed || !this.host) return;
    const count = this.audio?.listenerCount ?? 0;
    if (this.stopped) {
      this.status.show('off', 'stopped');
      return;
    }
    const { state } = this;
    switch (state.kind) {
      case 'idle':
        this.status.show('ok', 'listening', { port: this.settings.port });
        break;
      case 'starting':
        this.status.show('busy', 'starting');
        break;
      case 'suspended':
        this.status.show('busy', 'suspended', { count, device: state.device });
        break;
      case 'lost':
        this.status.show('error', LOST_WORDS.get(state.error.code) ?? 'capture-lost');
        break;
      case 'running':
        this.status.show('ok', state.muted ? 'muted' : this.sound ? 'sound' : 'silence', {
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
