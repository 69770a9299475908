/** Makes a Node-RED node of a transform: a node that changes sound says here what is its own, and nothing else. */
import type { AudioFormat } from '../../src/audio/format';
import { INPUT_SETTINGS } from './audio-description';
import type { Accepted } from './messages/message-reader';
import {
  registerNode,
  type Message,
  type NodeBehaviour,
  type NodeConfig,
  type Red,
  type RedNode,
} from './red';
import { parseSettings } from './settings';
import { StatusLine, type Look } from './status';
import {
  StreamNode,
  SYSTEM_DEPENDENCIES,
  type Dependencies,
  type NodeTransform,
  type Stream,
  type TransformContext,
} from './stream-node';

/** What a node shows: the text `status.<word>` of its catalog, in the look of {@link Look}. */
export type Shown = readonly [look: Look, word: string, values?: Readonly<Record<string, unknown>>];

/** A node as its status sees it. */
export interface NodeView<State, T> {
  readonly state: State;
  readonly streams: readonly StreamView<T>[];
}

export interface StreamView<T> {
  /** What comes in; undefined before the first sound. */
  readonly format: AudioFormat | undefined;
  /** What leaves the main output; undefined before something has. */
  readonly outputFormat: AudioFormat | undefined;
  readonly transform: T | undefined;
}

export interface TransformNodeDefinition<State, Live, T extends NodeTransform<Live>> {
  readonly type: string;
  /**
   * Reads the node's settings, and makes what all its streams share.
   * @param text looks a text up in the node's catalog
   * @param refresh shows the node's status anew, at any later time
   * @throws OrgoError `ORGO_BAD_SETTING`
   */
  start(config: NodeConfig, text: (key: string) => string, refresh: () => void): State;
  /** What it takes. PCM is taken as WAV too, and by the node's input settings where nothing describes it. */
  accepts(state: State): Omit<Accepted, 'settings'>;
  /** Names of its outputs, in their order; `audio` */
  readonly outputs?: readonly string[];
  /** Sound that takes less than 10 ms of CPU, ms; 1000 */
  readonly sliceMs?: number;
  /** The settings that can change while the node runs; a message is processed with those that held when it came. */
  live?(state: State): Live;
  /**
   * Called with each message as it arrives.
   * @returns whether the message was for this alone
   * @throws OrgoError with which the message is answered
   */
  onMessage?(msg: Message, state: State): boolean;
  /** Makes the transform of one stream. */
  create(context: TransformContext<Live>, state: State): T;
  /** What the node shows for an error with which a message is answered; `bad-input` */
  onRefused?(error: unknown): Shown;
  /** What the node shows now; undefined leaves what is shown. */
  status(view: NodeView<State, T>): Shown | undefined;
}

const BAD_INPUT: Shown = ['error', 'bad-input'];

/** A module for Node-RED that registers the node. */
export function defineTransformNode<
  State,
  Live = unknown,
  T extends NodeTransform<Live> = NodeTransform<Live>,
>(definition: TransformNodeDefinition<State, Live, T>): (RED: Red, dependencies?: Dependencies) => void {
  return (RED, dependencies = SYSTEM_DEPENDENCIES) =>
    registerNode(
      RED,
      definition.type,
      {},
      (node, config) => new TransformNode(definition, { RED, node, config, dependencies }),
    );
}

/** What a node is made with. */
interface NodeParts {
  readonly RED: Red;
  readonly node: RedNode;
  readonly config: NodeConfig;
  readonly dependencies: Dependencies;
}

class TransformNode<State, Live, T extends NodeTransform<Live>> implements NodeBehaviour {
  private readonly state: State;
  private readonly line: StatusLine;
  private readonly streams: StreamNode<Live>;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    private readonly definition: TransformNodeDefinition<State, Live, T>,
    { RED, node, config, dependencies }: NodeParts,
  ) {
    const state = definition.start(
      config,
      (key) => RED._(`${definition.type}.${key}`),
      () => this.streams.refresh(),
    );
    this.state = state;
    this.line = new StatusLine(RED, node, dependencies.clock);
    this.streams = new StreamNode<Live>(
      node,
      {
        accepted: { ...definition.accepts(state), settings: parseSettings(INPUT_SETTINGS, config) },
        outputs: definition.outputs,
        sliceMs: definition.sliceMs,
        live: definition.live && (() => definition.live?.(state) as Live),
        create: (context) => definition.create(context, state),
        onChange: (streams) => this.show(streams),
        onRefused: (error) => this.line.show(...(definition.onRefused?.(error) ?? BAD_INPUT)),
      },
      dependencies,
    );
    this.show(new Set());
  }

  onInput(msg: Message, send: Parameters<StreamNode['onInput']>[1]): void | Promise<void> {
    const { definition, state } = this;
    const before = definition.live?.(state);
    const isDone = definition.onMessage?.(msg, state) ?? false;
    if (definition.live?.(state) !== before) this.streams.refresh();
    if (isDone) return undefined;
    return this.streams.onInput(msg, send);
  }

  async onClose(): Promise<void> {
    await this.streams.onClose();
    this.line.close();
  }

  private show(streams: ReadonlySet<Stream<Live>>): void {
    const views = [...streams].map(({ format, outputFormat, transform }) => {
      return { format, outputFormat, transform: transform as T | undefined };
    });
    const shown = this.definition.status({ state: this.state, streams: views });
    if (shown) this.line.show(...shown);
  }
}
