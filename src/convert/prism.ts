/** The one place that touches prism-media: starts ffmpeg by its FFmpeg stream. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { FFmpeg } from 'prism-media';
import type { Ffmpeg } from './find-ffmpeg';

type FfmpegStream = FFmpeg & { readonly process: ChildProcessWithoutNullStreams };

/**
 * Starts ffmpeg without a shell, its output to stdout. prism-media's own search is a blocking one, which would also
 * run a program named `ffmpeg` of the working directory; while the constructor runs, and no longer, it gets what
 * was found before, so that nobody else who uses the package sees a difference.
 * @param args all but the output's address, which is added
 */
export function startFfmpeg(ffmpeg: Ffmpeg, args: readonly string[]): FfmpegStream {
  const info = {
    command: ffmpeg.path,
    output: `ffmpeg version ${ffmpeg.version} Copyright`,
    version: ffmpeg.version,
  };
  const original = Object.getOwnPropertyDescriptor(FFmpeg, 'getInfo');
  Object.defineProperty(FFmpeg, 'getInfo', { ...original, value: () => info });
  try {
    return new FFmpeg({ args: [...args], shell: false }) as FfmpegStream;
  } finally {
    if (original) Object.defineProperty(FFmpeg, 'getInfo', original);
  }
}
