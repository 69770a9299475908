/** What a monitor kept, as a WAV file: for a message, and for a download. */
import { inWords } from '../shared/audio-description';
import { OrgoError } from '../../src/audio/errors';
import { wavHeader } from '../../src/containers/wav-header';
import type { Monitor } from '../../src/monitor/monitor';
import type { Recording } from '../../src/monitor/history';
import { describe } from '../shared/messages/message-writer';
import type { Message } from '../shared/red';

/**
 * Reads a monitor's history.
 * @param seconds of it; undefined: all
 * @param turn resolves when the event loop has seen to everything else
 * @throws OrgoError `ORGO_BAD_INPUT` where there is nothing; `ORGO_OPUS_FAILED`
 */
export async function readHistory(
  { history }: Monitor,
  seconds: number | undefined,
  turn: () => Promise<void>,
): Promise<Recording> {
  const reading = history.read(seconds);
  for (;;) {
    const step = reading.next();
    if (step.done !== true) {
      await turn();
      continue;
    }
    if (step.value) return step.value;
    const why =
      history.seconds === 0
        ? 'historySeconds is 0: nothing is kept'
        : 'no sound has come since the deployment';
    throw new OrgoError('ORGO_BAD_INPUT', `There is nothing to save: ${why}`);
  }
}

export function wavOf({ format, samples, data }: Recording): Buffer {
  return Buffer.concat([wavHeader(format, samples), data]);
}

/** The message that answers `asked`; what that asked of the node is not passed on. */
export function recordingMessage(recording: Recording, asked: Message, topic: unknown): Message {
  const { format, samples, time } = recording;
  const message: Message = { ...asked, topic: asked.topic ?? topic, payload: wavOf(recording) };
  delete message['action'];
  delete message['seconds'];
  message.audio = describe({ format: { ...format, encoding: 'wav' }, position: 0, time }, { samples });
  return message;
}

/** @throws OrgoError `ORGO_BAD_INPUT` for seconds that can't be */
export function secondsOf({ seconds }: Message): number | undefined {
  if (seconds === undefined || (typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds))) {
    return seconds;
  }
  throw new OrgoError('ORGO_BAD_INPUT', `msg.seconds is ${inWords(seconds)}: it must be a number above 0`);
}
