/** What sox makes of raw sound: the gold that ours is compared with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';

export interface RawFormat {
  /** Hz */
  readonly rate: number;
  readonly channels: number;
}

/** Resamples s16le by `rate -v`, without dither; several channels are averaged where one is asked for. */
export async function soxResample(data: Buffer, from: RawFormat, to: RawFormat): Promise<Buffer> {
  const raw = ({ rate, channels }: RawFormat): string[] => [
    ...['-t', 'raw', '-e', 'signed', '-b', '16', '-r', String(rate), '-c', String(channels), '-'],
  ];
  const mix = from.channels > to.channels ? ['remix', '-'] : [];
  const child = spawn('sox', ['-V1', '-D', ...raw(from), ...raw(to), ...mix, 'rate', '-v'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // Where sox ends early its exit code says so.
  child.stdin.on('error', () => child.stdin.destroy());
  child.stdin.end(data);
  const [result] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`sox ended with ${String(child.exitCode)}`);
  return result;
}
