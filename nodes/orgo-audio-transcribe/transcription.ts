/** The words of one stream as the harness of streams takes them: sound in, a session with the service, words out. */
import { badInput } from '../../src/audio/errors';
import { isPcmFrame, type AudioFrame } from '../../src/audio/frame';
import type { Sessions } from '../../src/transcribe/sessions';
import type { Session } from '../../src/transcribe/session';
import type { FrameOrigin, NodeTransform, TransformContext } from '../shared/stream-node';

export interface TranscriptionOptions {
  readonly sessions: Sessions;
  readonly context: TransformContext;
  /** How long the last words may take, ms. */
  readonly endLimitMs: () => number;
  readonly onClose: () => void;
}

export class Transcription implements NodeTransform {
  readonly session: Session;
  private endsUtterance = false;
  private ending: Promise<void> | undefined;

  constructor(private readonly options: TranscriptionOptions) {
    const { sessions, context } = options;
    this.session = sessions.create(context.stream, {
      emit: (emission) => context.emit([emission]),
      report: context.report,
      changed: context.refresh,
    });
  }

  push(frame: AudioFrame, { msg }: FrameOrigin): [] {
    if (!isPcmFrame(frame)) throw badInput(`The sound that came is ${frame.format.encoding}: PCM is wanted`);
    const speech = objectOf(msg['speech']);
    this.endsUtterance = speech !== undefined;
    this.session.push(frame, speech);
    return [];
  }

  border(): void {
    this.session.border();
  }

  messageEnd(): void {
    if (this.options.sessions.takes !== 'utterance') return;
    if (this.endsUtterance) this.session.border();
    else this.session.pause();
    this.endsUtterance = false;
  }

  ready(): Promise<void> | undefined {
    return this.session.ready();
  }

  flush(): [] {
    this.ending = this.session.end(this.options.endLimitMs());
    return [];
  }

  drained(): Promise<void> | undefined {
    return this.ending;
  }

  close(): void {
    this.session.close();
    this.options.onClose();
  }
}

function objectOf(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}
