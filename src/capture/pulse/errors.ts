/** The errors that are capture's own: a device that falls silent, a system without a sound server. */
import { OrgoError } from '../../audio/errors';
import type { CaptureDevice } from './devices';

/** A device that should deliver without end has not. */
export function silentError(device: CaptureDevice, ms: number): OrgoError {
  return new OrgoError(
    'ORGO_SOUND_SERVER_FAILED',
    `The sound server has sent nothing from "${device.sourceName}" for ${ms} ms, not even silence. It is tried again; if it stays so, restart the sound server.`,
  );
}

/** On systems without PulseAudio, where no address was given either. */
export function unsupportedError(platform: string): OrgoError {
  return new OrgoError(
    'ORGO_CAPTURE_UNSUPPORTED',
    `This system (${platform}) has no PulseAudio or PipeWire to capture. The sources "input" and "test" work here, and so does a sound server elsewhere, by its address (tcp:host:port).`,
  );
}
