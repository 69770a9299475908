/** The command lines for ffmpeg. Only our own words and checked numbers are in them, nothing of a message. */
import type { Channels, PcmEncoding, PcmFormat } from '../audio/format';
import type { SoundKind } from './sniff';

export interface DecodeCommand {
  readonly kind: SoundKind;
  readonly encoding: PcmEncoding;
  /** Hz; undefined: the file's. */
  readonly sampleRate: number | undefined;
  /** Undefined: the file's, but 2 where it has more. */
  /** Blank: the file's own. */
  readonly channels: Channels | '';
}

/** Formats that are made by ffmpeg. */
export type FfmpegFormat = 'mp3' | 'aac' | 'flac';

const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error'];
/** Without it, a playlist that is sent in place of a sound could make ffmpeg open files and addresses. */
const ONLY_PIPES = ['-protocol_whitelist', 'pipe'];
/** Bytes after which ffmpeg begins, where it need not guess the format. */
const KNOWN_FORMAT_PROBE_BYTES = '2048';
/**
 * By default ffmpeg's resampler has 32 taps, works in s16 between s16 and s16, and lets aliases through at −43 dBc.
 * With 128 taps and floats inside they lie below the last bit of s16, and the pass band is that of our own `high`.
 */
const RESAMPLING = 'filter_size=128:phase_shift=10:cutoff=0.95:internal_sample_fmt=fltp';

export function decodeArguments({ kind, encoding, sampleRate, channels }: DecodeCommand): string[] {
  const known = kind === 'mp3' || kind === 'aac' ? ['-f', kind, '-probesize', KNOWN_FORMAT_PROBE_BYTES] : [];
  const layouts = channels === '' ? 'mono|stereo' : channels === 1 ? 'mono' : 'stereo';
  const filters = [
    // The sound alone counts, not the times that a damaged or joined stream claims for it.
    'asetpts=N/SR/TB',
    `aformat=channel_layouts=${layouts}`,
    ...(sampleRate === undefined ? [] : [`aresample=${sampleRate}:${RESAMPLING}`]),
  ];
  return [
    ...QUIET,
    ...ONLY_PIPES,
    ...known,
    ...['-i', 'pipe:0', '-map', '0:a:0', '-af', filters.join(',')],
    ...['-c:a', `pcm_${encoding}`, '-f', 'wav', '-flush_packets', '1'],
  ];
}

const ENCODERS: Readonly<Record<FfmpegFormat, readonly string[]>> = {
  // No Xing header: it would need the file's length, and no ID3 tag: the bytes may go to a radio as they are.
  mp3: ['-c:a', 'libmp3lame', '-f', 'mp3', '-write_xing', '0', '-id3v2_version', '0'],
  aac: ['-c:a', 'aac', '-f', 'adts'],
  flac: ['-c:a', 'flac', '-f', 'flac'],
};

export function encodeArguments(format: FfmpegFormat, from: PcmFormat, bitrate: number): string[] {
  return [
    ...QUIET,
    ...ONLY_PIPES,
    ...['-f', from.encoding, '-ar', String(from.sampleRate), '-ac', String(from.channels)],
    ...['-probesize', '32', '-i', 'pipe:0', '-map', '0:a:0', ...ENCODERS[format]],
    ...(format === 'flac' ? [] : ['-b:a', String(bitrate)]),
    ...['-flush_packets', '1'],
  ];
}
