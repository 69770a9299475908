/** What a node brings to the harness of streams: a transform, which knows sound and nothing of messages. */
import type { AudioFormat } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import type { Emission, Transform } from '../../src/audio/transform';
import type { Message } from './red';

/** What the message of a frame says besides its sound. */
export interface FrameOrigin {
  /** The message, without its payload. */
  readonly msg: Message;
  /** Whether the frame's `time` came with it; else it is estimated. */
  readonly timed: boolean;
  /** It brought a time, and a second of sound at most. Anything else is a recording. */
  readonly isLive: boolean;
}

/**
 * A transform of one stream, from a first frame of one format to a flush. It may emit later than it is pushed, by
 * {@link TransformContext.emit}: then `ready` and `drained` say what the harness waits for.
 */
export interface NodeTransform<Live = unknown> extends Omit<Transform, 'push'> {
  /** As a {@link Transform} does; one that only changes sound does not ask for its origin. */
  push(frame: AudioFrame, origin: FrameOrigin): Emission[];
  /** Takes over settings that changed while it runs; returns what comes out because of it. */
  configure?(live: Live): Emission[];
  /**
   * For one that lives as long as its stream: the stream goes on elsewhere or in another format, or a file in it ends. Left
   * out: it is flushed and closed there, and a new one is made.
   */
  border?(): void;
  /** All sound of a message was pushed. */
  messageEnd?(): void;
  /**
   * Backpressure: asked after each push. While the promise is pending, nothing more of the stream is pushed, and the
   * message that was pushed is not done; undefined where there is room. It rejects where the work failed.
   */
  ready?(): Promise<void> | undefined;
  /** Asked after a flush: resolves when all was emitted. Only then the stream goes on, or its end is marked. */
  drained?(): Promise<void> | undefined;
}

/** What a transform is made for. */
export interface TransformContext<Live = unknown> {
  /** Of all frames that it will get. */
  readonly format: AudioFormat;
  /** Name of the stream. */
  readonly stream: string;
  /** The settings that can change while the node runs, as they were when the first message came. */
  readonly live: Live;
  /** Sends what was ready later than the call that led to it. After `close`, it is dropped. */
  readonly emit: (emissions: readonly Emission[]) => void;
  /** Reports an error for which no message waits; the work goes on. `properties` are those of the message it is about. */
  readonly report: (error: Error, properties?: object) => void;
  /** Says that the work failed while nothing waited for it: the error is reported, and the transform closed. */
  readonly fail: (error: Error) => void;
  /** Shows the node's status anew, at most four times a second. */
  readonly refresh: () => void;
}

/** Makes the transform of one stream. May throw: the message that needed it is answered with the error. */
export type CreateTransform<Live = unknown> = (context: TransformContext<Live>) => NodeTransform<Live>;
