/** The node that lets a wire be heard and seen in the editor, and keeps its last seconds. */
import { badInput } from '../../src/audio/errors';
import { sameFormat, type AudioFormat } from '../../src/audio/format';
import type { Monitor } from '../../src/monitor/monitor';
import { inWords } from '../shared/audio-description';
import { defineNode, type NodeParts } from '../shared/define-node';
import type { Message, NodeBehaviour, Red, Send } from '../shared/red';
import { StreamNode, SYSTEM_DEPENDENCIES, type Dependencies } from '../shared/stream-node';
import { EditorAccess } from './editor-access';
import { readHistory, recordingMessage, secondsOf } from './recording-message';
import { SETTINGS } from './settings';
import { watchStream } from './watch-stream';

const TYPE = 'orgo-audio-monitor';
/** Without sound for this long, the node shows that none comes. */
const QUIET_MS = 5000;

class MonitorNode implements NodeBehaviour {
  private readonly access: EditorAccess;
  private readonly monitor: Monitor;
  private readonly streams: StreamNode;
  private shown: AudioFormat | undefined;
  private heardAt = -Infinity;
  private cancelWatch: (() => void) | undefined;

  constructor(private readonly parts: NodeParts<typeof SETTINGS>) {
    const { RED, node, settings, status, dependencies } = parts;
    this.access = EditorAccess.of(RED, dependencies);
    const { id, _alias: nodeId = id } = node;
    const { historySeconds } = settings;
    const monitor = this.access.hub.add({ id, nodeId, name: this.name, historySeconds });
    this.monitor = monitor;
    this.streams = new StreamNode(
      node,
      {
        accepted: { settings, encodings: ['s16le', 'f32le', 'opus'] },
        outputs: [],
        // To keep sound is one copy, and what plays it must see a recording whole.
        sliceMs: Infinity,
        create: ({ stream }) => watchStream(monitor, stream, (format) => this.onSound(format)),
        onEnd: (stream) => monitor.end(stream),
        onRefused: () => this.show(undefined, 'bad-input'),
      },
      dependencies,
    );
    status.show('idle', 'idle');
  }

  onInput(msg: Message, send: Send): void | Promise<void> {
    return msg.action === undefined ? this.streams.onInput(msg, send) : this.act(msg, send);
  }

  async onClose(): Promise<void> {
    this.cancelWatch?.();
    await this.streams.onClose();
    this.access.hub.remove(this.monitor);
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` */
  private async act(msg: Message, send: Send): Promise<void> {
    if (msg.action !== 'save') throw badInput(`msg.action is ${inWords(msg.action)}: it must be save`);
    const recording = await readHistory(this.monitor, secondsOf(msg), this.access.turn);
    send(recordingMessage(recording, msg, this.name));
  }

  private onSound(format: AudioFormat): void {
    this.heardAt = this.parts.dependencies.clock.now();
    if (!this.cancelWatch) this.watch();
    if (!this.shown || !sameFormat(this.shown, format)) this.show(format, 'sound');
  }

  private show(format: AudioFormat | undefined, word: 'sound' | 'idle' | 'bad-input'): void {
    this.shown = format;
    const look = { sound: 'ok', idle: 'idle', 'bad-input': 'error' } as const;
    this.parts.status.show(look[word], word, format && { rate: format.sampleRate });
  }

  /** Looks now and then whether sound still comes, rather than with each message. */
  private watch(): void {
    const { clock } = this.parts.dependencies;
    this.cancelWatch = clock.after(QUIET_MS, () => {
      this.cancelWatch = undefined;
      if (clock.now() - this.heardAt < QUIET_MS) this.watch();
      else if (this.shown) this.show(undefined, 'idle');
    });
  }

  private get name(): string {
    const { name } = this.parts.node;
    return name !== undefined && name !== '' ? name : TYPE;
  }
}

const register = defineNode(TYPE, SETTINGS, (parts) => new MonitorNode(parts));

/** The editor's routes are there before the first monitor is deployed. */
export = function (RED: Red, given: Partial<Dependencies> = {}): void {
  EditorAccess.of(RED, { ...SYSTEM_DEPENDENCIES, ...given });
  register(RED, given);
};
