/** What capture tells of its state, and the errors that are its own. */
import { OrgoError } from '../../audio/errors';
import type { SourceState } from '../source';
import type { CaptureDevice } from './devices';

/** Whether both say the same. */
export function sameState(a: SourceState, b: SourceState): boolean {
  switch (a.kind) {
    case 'idle':
    case 'starting':
      return a.kind === b.kind;
    case 'running':
      return b.kind === 'running' && a.device === b.device && a.muted === b.muted;
    case 'suspended':
      return b.kind === 'suspended' && a.device === b.device;
    case 'lost':
      return b.kind === 'lost' && a.error.code === b.error.code && a.error.message === b.error.message;
  }
}

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
