/** The source `pulse`: a device of PulseAudio or PipeWire. */
import { text } from '../../settings/setting';
import { sourceEntry } from '../source-entry';
import { PulseCapture } from './pulse-capture';

const when = { source: ['pulse'] };

export const PULSE_SOURCE = sourceEntry({
  type: 'pulse',
  settings: { device: text('', { when }), pulseServer: text('', { when }) },
  create: ({ device, pulseServer }, clock) => new PulseCapture({ device, pulseServer, clock }),
});
