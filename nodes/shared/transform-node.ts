/** Makes a Node-RED node of a transform: a node that changes sound says here what is its own, and nothing else. */
import type { AudioFormat } from '../../src/audio/format';
import type { INPUT_SETTINGS } from './audio-description';
import { defineNode } from './define-node';
import type { Accepted } from './messages/message-reader';
import type { Message, Red } from './red';
import type { Settings, SettingValues } from './settings';
import type { Look } from './status';
import {
  StreamNode,
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

export interface TransformNodeDefinition<S extends Settings, State, Live, T extends NodeTransform<Live>> {
  readonly type: string;
  /** Its settings, those of what comes without `msg.audio` among them. */
  readonly settings: S & typeof INPUT_SETTINGS;
  /**
   * Makes what all streams of a node share.
   * @param text looks a text up in the node's catalog
   * @param refresh shows the node's status anew, at any later time
   * @throws OrgoError `ORGO_BAD_SETTING`
   */
  start(settings: SettingValues<S>, text: (key: string) => string, refresh: () => void): State;
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
  S extends Settings,
  State,
  Live = unknown,
  T extends NodeTransform<Live> = NodeTransform<Live>,
>(
  definition: TransformNodeDefinition<S, State, Live, T>,
): (RED: Red, dependencies?: Partial<Dependencies>) => void {
  const { type } = definition;
  return defineNode(type, definition.settings, ({ RED, node, settings, status, dependencies }) => {
    const text = (key: string): string => RED._(`${type}.${key}`);
    const state = definition.start(settings, text, () => streams.refresh());
    const live = (): Live => definition.live?.(state) as Live;
    const show = (of: ReadonlySet<Stream<Live>>): void => {
      const views = [...of].map(({ format, outputFormat, transform }) => {
        return { format, outputFormat, transform: transform as T | undefined };
      });
      const shown = definition.status({ state, streams: views });
      if (shown) status.show(...shown);
    };
    const streams = new StreamNode<Live>(
      node,
      {
        accepted: { ...definition.accepts(state), settings },
        outputs: definition.outputs,
        sliceMs: definition.sliceMs,
        live,
        create: (context) => definition.create(context, state),
        onChange: show,
        onRefused: (error) => status.show(...(definition.onRefused?.(error) ?? BAD_INPUT)),
      },
      dependencies,
    );
    show(new Set());
    return {
      onInput(msg, send) {
        const before = live();
        const isDone = definition.onMessage?.(msg, state) ?? false;
        if (live() !== before) streams.refresh();
        if (isDone) return undefined;
        return streams.onInput(msg, send);
      },
      onClose: () => streams.onClose(),
    };
  });
}
