/** A flow for tests of the tab Audio: one monitor on a wire that carries a tone, one on a wire without sound. */
import type { FlowNode } from './node-red';

export const MONITORED_TONE = { hz: 440, sampleRate: 24_000, amplitude: 0.5 };

/** Sends the tone as a live wire does: as many frames of 20 ms as are due. */
const GENERATOR = `
const rate = ${MONITORED_TONE.sampleRate}, size = rate / 50, start = Date.now();
let position = 0;
const timer = setInterval(() => {
  while (position < ((Date.now() - start) * rate) / 1000) {
    const payload = Buffer.alloc(size * 2);
    for (let i = 0; i < size; i++) payload.writeInt16LE(Math.round(${MONITORED_TONE.amplitude} * 32768 * Math.sin((2 * Math.PI * ${MONITORED_TONE.hz} * (position + i)) / rate)), i * 2);
    const time = start + (position * 1000) / rate;
    node.send({ payload, audio: { encoding: 's16le', sampleRate: rate, channels: 1, stream: 'tone', position, time } });
    position += size;
  }
}, 10);
context.set('timer', timer);`;

export const MONITORS: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'monitors' },
  {
    id: 'tone',
    type: 'function',
    z: 'tab',
    name: 'Tone',
    func: '',
    outputs: 1,
    initialize: GENERATOR,
    finalize: "clearInterval(context.get('timer'));",
    x: 120,
    y: 80,
    wires: [['monitor']],
  },
  {
    id: 'monitor',
    type: 'orgo-audio-monitor',
    z: 'tab',
    name: 'A tone',
    historySeconds: 2,
    x: 320,
    y: 80,
    wires: [[]],
  },
  { id: 'silent', type: 'orgo-audio-monitor', z: 'tab', name: 'Nothing', x: 320, y: 160, wires: [[]] },
];
