/**
 * From sound in the sink to the message in the flow, beside a bare `parec` of the same sink at the same time:
 * `npm run bench -- latency [--seconds 60] [--frame-ms 20]`.
 */
import { measureLatency, type Pair } from './lib/end-to-end-latency';
import { argument, printTable, quantile } from './lib/table';

const SECONDS = argument('seconds', 60);
const FRAME_MS = argument('frame-ms', 20);

void measureLatency({ seconds: SECONDS, frameMs: FRAME_MS }, ({ pairs, lost }) => {
  const row = (name: string, of: (pair: Pair) => number): string[] => {
    const at = (q: number): number => quantile(pairs.map(of), q);
    const base = (q: number): number =>
      quantile(
        pairs.map(({ anchored }) => anchored),
        q,
      );
    return [
      name,
      at(0.5).toFixed(1),
      at(0.99).toFixed(1),
      (at(0.5) - base(0.5)).toFixed(1),
      (at(0.99) - base(0.99)).toFixed(1),
      (at(0.5) / base(0.5)).toFixed(2),
    ];
  };
  printTable(
    `Latency: ${pairs.length} impulses into a null sink, 24 kHz mono, ${FRAME_MS} ms frames (${lost} lost)`,
    ['', 'p50, ms', 'p99, ms', 'p50 − bare', 'p99 − bare', 'p50 ÷ bare'],
    [
      row('bare parec, frames anchored to its chunks', ({ anchored }) => anchored),
      row('bare parec, frames from byte 0', ({ naive }) => naive),
      row('sink → server → WebSocket → orgo-audio-in → flow', ({ ours }) => ours),
    ],
  );
  const errors = pairs.map(({ timeError }) => timeError);
  printTable(
    '`msg.audio.time` beside the sink’s own clock',
    ['p1, ms', 'p50, ms', 'p99, ms'],
    [[0.01, 0.5, 0.99].map((q) => quantile(errors, q).toFixed(2))],
  );
  return false;
});
