/**
 * CPU of 20 monitors on wires of 24 kHz mono in messages of 20 ms: with the tab closed, with all levels showing, and with
 * one of them played too. Messages are handed over as fast as they are taken, on a clock that moves with them; what
 * is measured is CPU time for each second of sound, less that of making the messages. `npm run bench -- monitor`
 */
import { watchStream } from '../nodes/orgo-audio-monitor/watch-stream';
import { StreamNode } from '../nodes/shared/stream-node';
import type { Clock } from '../src/audio/clock';
import { MonitorHub } from '../src/monitor/hub';
import { printTable } from './lib/table';

const MONITORS = 20;
const SECONDS = 60;
const RATE = 24_000;
const FRAME_MS = 20;
const SAMPLES = (RATE * FRAME_MS) / 1000;
const INPUT = { inputEncoding: 's16le', inputSampleRate: RATE, inputChannels: 1 } as const;

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** Moves only when it is told to. */
class SteppedClock implements Clock {
  private time = 0;
  private readonly timers = new Set<Timer>();
  now = (): number => this.time;
  epochOffset = (): number => 1_700_000_000_000;

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + ms, fn };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  step(ms: number): void {
    this.time += ms;
    for (const timer of [...this.timers]) {
      if (timer.at > this.time || !this.timers.delete(timer)) continue;
      timer.fn();
    }
  }
}

const PAYLOADS = Array.from({ length: 50 }, (_, frame) => {
  const payload = Buffer.alloc(2 * SAMPLES);
  for (let i = 0; i < SAMPLES; i++) {
    const at = frame * SAMPLES + i;
    payload.writeInt16LE(Math.round(9000 * Math.sin(at / 7) + 5000 * Math.sin(at * 0.91)), 2 * i);
  }
  return payload;
});

/** @returns CPU for each second of sound, as a part of a core */
function run(hasMonitors: boolean, want?: { levels: number; sound: number }): number {
  const clock = new SteppedClock();
  const hub = new MonitorHub(clock);
  const ids = Array.from({ length: MONITORS }, (_, i) => `monitor-${i}`);
  const nothing = (): void => undefined;
  const monitors = ids.map((id) => {
    const monitor = hub.add({ id, nodeId: id, name: id, historySeconds: 30 });
    return new StreamNode(
      { id, send: nothing, warn: nothing, error: nothing },
      {
        accepted: { settings: INPUT, encodings: ['s16le', 'f32le', 'opus'] },
        ...{ outputs: [], sliceMs: Infinity },
        create: ({ stream }) => watchStream(monitor, stream, nothing),
      },
      { clock, defer: setImmediate },
    );
  });
  let sent = 0;
  let answer: (text: string) => void = () => undefined;
  const socket = {
    bufferedAmount: 0,
    send: (data: string | Uint8Array) => {
      sent += data.length;
      if (typeof data === 'string' && data.startsWith('{"type":"probe"')) answer(data);
    },
    close: () => undefined,
    terminate: () => undefined,
  };
  if (want) {
    const viewer = hub.connect(socket, () => true);
    answer = (text) => viewer.receive(text);
    viewer.receive('{"type":"ticket","ticket":"of a bench"}');
    const message = { type: 'want', levels: ids.slice(0, want.levels), sound: ids.slice(0, want.sound) };
    viewer.receive(JSON.stringify(message));
  }
  const step = (frame: number): void => {
    clock.step(FRAME_MS);
    const time = clock.now() + clock.epochOffset() - FRAME_MS;
    for (const monitor of monitors) {
      const payload = PAYLOADS[frame % PAYLOADS.length];
      const audio = {
        encoding: 's16le',
        sampleRate: RATE,
        channels: 1,
        stream: 's',
        position: frame * SAMPLES,
        time,
      };
      const msg = { payload, audio };
      if (hasMonitors) void monitor.onInput(msg, nothing);
    }
  };
  const frames = (SECONDS * 1000) / FRAME_MS;
  for (let frame = 0; frame < frames / 4; frame++) step(frame);
  const before = process.cpuUsage();
  const first = frames / 4;
  for (let frame = first; frame < first + frames; frame++) step(frame);
  const { user, system } = process.cpuUsage(before);
  if (want && sent === 0) throw new Error('nothing was sent: the bench measures nothing');
  return (user + system) / 1e6 / SECONDS;
}

const bare = run(false);
const percent = (part: number): string => `${(100 * (part - bare)).toFixed(2)} %`;
printTable(
  'monitor',
  [`${MONITORS} monitors, 24 kHz mono`, 'of one core'],
  [
    ['the tab is closed', percent(run(true))],
    ['all levels and spectrograms show', percent(run(true, { levels: MONITORS, sound: 0 }))],
    ['… and one of them plays', percent(run(true, { levels: MONITORS, sound: 1 }))],
  ],
);
