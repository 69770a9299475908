/** The node that lets a wire be heard and seen in the editor, and keeps its last seconds. */
import { OrgoError } from '../../src/audio/errors';
import { sameFormat, type AudioFormat } from '../../src/audio/format';
import type { Monitor } from '../../src/monitor/monitor';
import { inWords, streamNameOf } from '../shared/audio-description';
import {
  registerNode,
  type Message,
  type NodeBehaviour,
  type NodeConfig,
  type Red,
  type RedNode,
  type Send,
} from '../shared/red';
import { parseSettings } from '../shared/settings';
import { StatusLine } from '../shared/status';
import { SYSTEM_DEPENDENCIES, type Dependencies } from '../shared/stream-node';
import { EditorAccess } from './editor-access';
import { IncomingStreams } from './incoming';
import { readHistory, recordingMessage, secondsOf } from './recording-message';
import { SETTINGS } from './settings';

const TYPE = 'orgo-audio-monitor';
/** Without sound for this long, the node shows that none comes. */
const QUIET_MS = 5000;

export = function (RED: Red, dependencies: Dependencies = SYSTEM_DEPENDENCIES): void {
  const access = EditorAccess.of(RED, dependencies);
  registerNode(RED, TYPE, {}, (node, config) => new MonitorNode({ RED, node, config, access, dependencies }));
};

interface Parts {
  readonly RED: Red;
  readonly node: RedNode;
  readonly config: NodeConfig;
  readonly access: EditorAccess;
  readonly dependencies: Dependencies;
}

class MonitorNode implements NodeBehaviour {
  private readonly monitor: Monitor;
  private readonly incoming: IncomingStreams;
  private readonly status: StatusLine;
  private shown: AudioFormat | undefined;
  private heardAt = -Infinity;
  private cancelWatch: (() => void) | undefined;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(private readonly parts: Parts) {
    const { RED, node, config, access, dependencies } = parts;
    const { clock } = dependencies;
    const { historySeconds, ...settings } = parseSettings(SETTINGS, config);
    this.incoming = new IncomingStreams({ settings, encodings: ['s16le', 'f32le', 'opus'] }, clock);
    this.status = new StatusLine(RED, node, clock);
    const { id, _alias: nodeId = id } = node;
    this.monitor = access.hub.add({ id, nodeId, name: this.name, historySeconds });
    this.status.show('idle', 'idle');
  }

  onInput(msg: Message, send: Send): void | Promise<void> {
    if (msg.action !== undefined) return this.act(msg, send);
    try {
      this.take(msg);
    } catch (error) {
      this.shown = undefined;
      this.status.show('error', 'bad-input');
      throw error;
    }
  }

  onClose(): void {
    this.cancelWatch?.();
    this.parts.access.hub.remove(this.monitor);
    this.status.close();
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  private async act(msg: Message, send: Send): Promise<void> {
    if (msg.action !== 'save') {
      throw new OrgoError('ORGO_BAD_INPUT', `msg.action is ${inWords(msg.action)}: it must be save`);
    }
    const recording = await readHistory(this.monitor, secondsOf(msg), this.parts.access.turn);
    send(recordingMessage(recording, msg, this.name));
  }

  private take(msg: Message): void {
    const { payload } = msg;
    const isOver = msg['complete'] === true;
    const resets = msg['reset'] !== undefined;
    const stream = streamNameOf(msg) ?? this.parts.node.id;
    if (!Buffer.isBuffer(payload) && !isOver && !resets) {
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `msg.payload is ${inWords(payload)}: a Buffer of sound is wanted`,
      );
    }
    if (resets) this.incoming.forget(stream);
    try {
      const arrival = Buffer.isBuffer(payload) ? this.incoming.read(stream, msg) : undefined;
      if (!arrival) return;
      this.monitor.push(arrival);
      this.show(arrival.frame.format);
    } finally {
      if (isOver) {
        this.incoming.forget(stream);
        this.monitor.end(stream);
      }
    }
  }

  private show(format: AudioFormat): void {
    this.heardAt = this.parts.dependencies.clock.now();
    if (!this.cancelWatch) this.watch();
    if (this.shown && sameFormat(this.shown, format)) return;
    this.shown = format;
    this.status.show('ok', 'sound', { rate: format.sampleRate });
  }

  /** Looks now and then whether sound still comes, rather than with each message. */
  private watch(): void {
    const { clock } = this.parts.dependencies;
    this.cancelWatch = clock.after(QUIET_MS, () => {
      this.cancelWatch = undefined;
      this.incoming.sweep();
      const isQuiet = clock.now() - this.heardAt >= QUIET_MS;
      if (isQuiet && this.shown) {
        this.shown = undefined;
        this.status.show('idle', 'idle');
      }
      if (!isQuiet || !this.incoming.isEmpty) this.watch();
    });
  }

  private get name(): string {
    const { name } = this.parts.node;
    return name !== undefined && name !== '' ? name : TYPE;
  }
}
