/** Frames for the monitors' tests, and a socket that keeps what it was given. */
import type { AudioFormat, PcmFormat } from '../../src/audio/format';
import { bytesPerSample } from '../../src/audio/format';
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { floatToS16 } from '../../src/audio/samples';
import type { ViewerSocket } from '../../src/monitor/viewer';
import type { HostMessage } from '../../src/monitor/viewer-protocol';

export const MONO: PcmFormat = { encoding: 's16le', sampleRate: 24_000, channels: 1 };

/** PCM whose value at each sample, counted from `position` on, `valueAt` says: in ±1, the same in all channels. */
export function pcm(
  samples: number,
  valueAt: (position: number) => number,
  {
    format = MONO,
    position = 0,
    time = position / (format.sampleRate / 1000),
    gap = 0,
  }: Partial<PcmFrame> & { format?: PcmFormat } = {},
): PcmFrame {
  const size = bytesPerSample(format) / format.channels;
  const data = Buffer.alloc(samples * bytesPerSample(format));
  for (let i = 0; i < samples * format.channels; i++) {
    const value = valueAt(position + Math.floor(i / format.channels));
    if (format.encoding === 's16le') data.writeInt16LE(floatToS16(value), i * size);
    else data.writeFloatLE(value, i * size);
  }
  return { format, data, samples, position, time, gap, latencyMs: 0 };
}

export function sine(
  hz: number,
  amplitude: number,
  { sampleRate }: AudioFormat = MONO,
): (position: number) => number {
  return (position) => amplitude * Math.sin((2 * Math.PI * hz * position) / sampleRate);
}

/** Counts, so that a lost or moved sample shows. */
export function counting(position: number): number {
  return ((position % 30_000) + 1) / 32_768;
}

/** What an arrival has beside its frame. */
export function arrival(
  frame: AudioFrame,
  rest: { stream?: string; timed?: boolean; begins?: boolean; speech?: boolean } = {},
) {
  return { frame, stream: 's', timed: true, begins: false, speech: false, ...rest };
}

export class FakeSocket implements ViewerSocket {
  bufferedAmount = 0;
  readonly texts: HostMessage[] = [];
  readonly bytes: Uint8Array[] = [];
  closed: { code: number; reason: string } | 'terminated' | undefined;

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.texts.push(JSON.parse(data) as HostMessage);
    else this.bytes.push(data);
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  terminate(): void {
    this.closed = 'terminated';
  }

  /** Messages of one type, in their order. */
  of<T extends HostMessage['type']>(type: T): Extract<HostMessage, { type: T }>[] {
    return this.texts.filter(
      (message): message is Extract<HostMessage, { type: T }> => message.type === type,
    );
  }
}
