/** The verbs of everything that changes sound, and what comes out of it. */
import { OrgoError } from './errors';
import { formatText, type Encoding, type PcmEncoding } from './format';
import { isPcmFrame, type AudioFrame } from './frame';

/** Something that a transform gives, addressed to one of its outputs. */
export interface Emission<Output extends string = string> {
  /** Name of the output: `audio`, `utterance`, `event` … */
  readonly output: Output;
  /** The sound, and where it belongs; of an event, only the place counts. */
  readonly frame: AudioFrame;
  /** What is given instead of sound. An event has a place, but no samples. */
  readonly event?: object | undefined;
  /** Words that are given instead of sound; `frame` says where they were spoken. */
  readonly text?: string | undefined;
  /** What else is known of it: properties of the message that carries it, such as `speech`. */
  readonly properties?: object | undefined;
}

/**
 * Turns frames into emissions; bit-identical however the input is cut. Inside `src/` a transform with one output may
 * give bare frames; {@link toOutput} gives them their address.
 */
export interface Transform<In extends Encoding = Encoding, Out = Emission> {
  /** Takes the next frame and returns what is ready. One that holds sound meets no gap: it is wrapped in `Runs`. */
  push(frame: AudioFrame<In>): Out[];
  /**
   * As `push`, bit by bit, where little input may be much work. Each slice takes a few ms of CPU, and the caller may do
   * other things before the next one. It must take all of them before it calls anything else but `close`.
   */
  pushInSlices?(frame: AudioFrame<In>): Iterable<Out[]>;
  /** Returns what is held; afterwards the transform is as new, and the next frame starts it over. */
  flush(): Out[];
  /** Frees what is held without returning it. May be called twice. */
  close(): void;
}

/** The main output: the one on which a stream's sound goes on, and its end is marked. */
export const AUDIO_OUTPUT = 'audio';

/** A transform that gives bare frames, as one whose frames go to `output`. */
export function toOutput<In extends Encoding>(
  transform: Transform<In, AudioFrame>,
  output: string = AUDIO_OUTPUT,
): Transform<In> {
  const addressed = (frames: readonly AudioFrame[]): Emission[] => frames.map((frame) => ({ output, frame }));
  return {
    push: (frame) => addressed(transform.push(frame)),
    ...(transform.pushInSlices && {
      *pushInSlices(frame: AudioFrame<In>) {
        for (const slice of transform.pushInSlices?.(frame) ?? []) yield addressed(slice);
      },
    }),
    flush: () => addressed(transform.flush()),
    close: () => transform.close(),
  };
}

/** A transform of PCM as one that may be pushed anything: what is no PCM is refused. */
export function pcmOnly<Out>(transform: Transform<PcmEncoding, Out>): Transform<Encoding, Out> {
  return {
    push(frame) {
      if (isPcmFrame(frame)) return transform.push(frame);
      throw new OrgoError(
        'ORGO_BAD_INPUT',
        `The sound that came is ${formatText(frame.format)}: PCM is wanted`,
      );
    },
    flush: () => transform.flush(),
    close: () => transform.close(),
  };
}
