/** What the last words of an ffmpeg that gave nothing mean. */
import { OrgoError } from '../audio/errors';

/** `ORGO_BAD_INPUT`: the bytes are no sound that ffmpeg can read. */
export function decodeFailure(words: string): OrgoError {
  return new OrgoError('ORGO_BAD_INPUT', textOf(words));
}

/** `ORGO_CONVERT_FAILED`: this ffmpeg lacks the encoder, or refuses the sound. */
export function encodeFailure(words: string): OrgoError {
  const hint = /Unknown encoder/.test(words)
    ? '. This build of ffmpeg lacks that encoder: install the full one'
    : '';
  return new OrgoError('ORGO_CONVERT_FAILED', `ffmpeg can not encode this: ${words}${hint}`);
}

function textOf(words: string): string {
  if (/matches no streams|does not contain any stream/.test(words))
    return 'The file holds no sound: ffmpeg finds none in it';
  if (/partial file|moov atom not found/.test(words)) {
    return (
      'ffmpeg can not read this file: it is cut off, or its index is at its end. ' +
      `A file of the second kind must come whole, in one message (${words})`
    );
  }
  return `ffmpeg can not read this as sound: ${words}`;
}
