/** One stream on its way into a monitor. */
import type { AudioFormat } from '../../src/audio/format';
import type { Monitor } from '../../src/monitor/monitor';
import { parsePacket } from '../../src/opus/packet';
import type { NodeTransform } from '../shared/stream-node';

/**
 * Takes a stream's sound for `monitor`; nothing comes out of it.
 * @param onSound called with the format of each frame that was taken
 */
export function watchStream(
  monitor: Monitor,
  stream: string,
  onSound: (format: AudioFormat) => void,
): NodeTransform {
  let begins = true;
  return {
    /** @throws OrgoError `ORGO_BAD_INPUT` where the payload is no Opus packet */
    push(frame, { msg, timed }) {
      if (frame.format.encoding === 'opus') parsePacket(frame.data);
      const speech = typeof msg['speech'] === 'object' && msg['speech'] !== null;
      monitor.push({ frame, stream, timed, begins, speech });
      begins = false;
      onSound(frame.format);
      return [];
    },
    flush: () => [],
    close: () => undefined,
  };
}
