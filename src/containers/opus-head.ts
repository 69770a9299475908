/** The identification header of Opus in Ogg and WebM (RFC 7845 §5.1). */
import { OrgoError } from '../audio/errors';
import type { Channels } from '../audio/format';

export const OPUS_HEAD_MAGIC = 'OpusHead';
const HEAD_BYTES = 19;

export interface OpusHead {
  readonly channels: Channels;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkip: number;
  /** What was encoded, Hz: for information only. */
  readonly inputSampleRate: number;
  /** To be applied to the output, 1/256 dB. */
  readonly gain: number;
}

/** Writes version 1, mapping family 0: one or two channels. */
export function writeOpusHead({ channels, preSkip, inputSampleRate, gain }: OpusHead): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(OPUS_HEAD_MAGIC, 'latin1');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(inputSampleRate, 12);
  head.writeInt16LE(gain, 16);
  return head;
}

/** @throws OrgoError `ORGO_BAD_INPUT` where it is no such header, or one of surround sound */
export function readOpusHead(head: Buffer): OpusHead {
  if (head.length < HEAD_BYTES || !isOpusHead(head) || head.readUInt8(8) >> 4 !== 0)
    throw new OrgoError('ORGO_BAD_INPUT', 'The identification header of the Opus stream is damaged');
  const channels = head.readUInt8(9);
  const family = head.readUInt8(18);
  if ((channels !== 1 && channels !== 2) || family > 1) {
    throw new OrgoError(
      'ORGO_BAD_INPUT',
      `The Opus stream has ${channels} channels in mapping family ${family}: only mono and stereo are decoded`,
    );
  }
  return {
    channels,
    preSkip: head.readUInt16LE(10),
    inputSampleRate: head.readUInt32LE(12),
    gain: head.readInt16LE(16),
  };
}

export function isOpusHead(data: Buffer): boolean {
  return data.toString('latin1', 0, OPUS_HEAD_MAGIC.length) === OPUS_HEAD_MAGIC;
}
