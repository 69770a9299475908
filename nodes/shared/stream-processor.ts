/** What a node brings to the harness: it knows sound, and nothing of messages. */
import type { AudioFormat } from '../../src/audio/format';
import type { AudioFrame, SlicedTransform, Transform } from '../../src/audio/frame';
import type { Product } from './stream-output';

export type { Product } from './stream-output';

/** What a node does with one stream, from a first frame to a flush. All frames are of the format it was made for. */
export interface StreamProcessor<S = unknown> {
  /** @param settings the node's own, when the message came that brought the frame */
  push(frame: AudioFrame, settings: S): readonly Product[];
  /** As push, bit by bit, where little input may be much work: between two slices the harness lets others work. */
  pushInSlices?(frame: AudioFrame, settings: S): Iterable<readonly Product[]>;
  /** Returns what is held; afterwards it is as new. */
  flush(): readonly Product[];
  /** Frees what is held. */
  close(): void;
}

/** Makes the processor of one stream. May throw: the message that needed it is answered with the error. */
export type CreateProcessor<S = unknown> = (format: AudioFormat, stream: string) => StreamProcessor<S>;

/** A transform with one output as a processor. */
export function processorOf(transform: Transform & Partial<SlicedTransform>): StreamProcessor {
  const products = (frames: readonly AudioFrame[]): Product[] =>
    frames.map((frame) => ({ output: 0, frame }));
  return {
    push: (frame) => products(transform.push(frame)),
    ...(transform.pushInSlices && {
      *pushInSlices(frame: AudioFrame) {
        for (const slice of transform.pushInSlices?.(frame) ?? []) yield products(slice);
      },
    }),
    flush: () => products(transform.flush()),
    close: () => transform.close(),
  };
}
