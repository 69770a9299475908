/** The source `pulse`: a device of PulseAudio or PipeWire. */
import { text } from '../../settings/setting';
import { sourceEntry } from '../source-entry';
import { PulseCapture } from './pulse-capture';

export const PULSE_SOURCE = sourceEntry({
  type: 'pulse',
  title: "This machine's sound (PulseAudio, PipeWire)",
  settings: { device: text(), pulseServer: text() },
  create: ({ device, pulseServer }, clock) => new PulseCapture({ device, pulseServer, clock }),
});
