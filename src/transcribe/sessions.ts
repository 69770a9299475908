/** Makes the sessions of one node: one a stream. */
import { badSetting } from '../audio/errors';
import type { ServiceOptions } from './service';
import { SERVICES, serviceOptions, type EnteredService } from './services';
import type { Session, SessionOptions, SessionSink } from './session';
import { Slots } from './slots';
import { StreamSession } from './stream-session';
import { UtteranceSession } from './utterance-session';

export interface SessionsOptions extends Omit<SessionOptions, 'options' | 'stream'> {
  readonly service: string;
  readonly entered: EnteredService;
  /** Whole utterances that are asked for at once, of all streams. */
  readonly maxParallel: number;
}

/** A node's service. */
export interface Sessions {
  readonly takes: 'utterance' | 'stream';
  create(stream: string, sink: SessionSink): Session;
}

/** @throws OrgoError `ORGO_BAD_SETTING` naming what is missing or wrong */
export function sessionsOf(given: SessionsOptions): Sessions {
  const { entered, maxParallel, ...rest } = given;
  const service = SERVICES.find(({ name }) => name === given.service);
  if (!service) throw badSetting(`service is ${given.service}: there is none of this name`);
  const options: ServiceOptions = serviceOptions(service, entered);
  const base = { ...rest, options };
  if (service.kind === 'stream') {
    return {
      takes: 'stream',
      create: (stream, sink) => new StreamSession(service, { ...base, stream }, sink),
    };
  }
  const shared = { transcriber: service.create(options), slots: new Slots(maxParallel) };
  return {
    takes: 'utterance',
    create: (stream, sink) => new UtteranceSession(service, { ...base, stream }, shared, sink),
  };
}
