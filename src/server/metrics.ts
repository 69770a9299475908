/** What a server does, in the text format of Prometheus (exposition formats, version 0.0.4). */
import type { SourceState } from '../capture/source';
import type { Codec } from '../protocol/stream-format';
import type { Sent } from './sent-count';
import type { WireStream } from './wire-stream';

/** What is told at one time. Counts are since the server began. */
export interface Measured {
  /** The stream of each listener that is connected. */
  readonly streams: readonly WireStream[];
  readonly maxListeners: number;
  readonly sent: Sent;
  /** Age of the newest frame's first sample, ms; null while nothing is captured. */
  readonly ageMs: number | null;
  readonly capture: SourceState['kind'];
  readonly hasSound: boolean;
  /** Time spent on making wire frames, ms. */
  readonly encodingMs: ReadonlyMap<Codec, number>;
  /** Clients that were refused, by the HTTP status or close code that they were given. */
  readonly refused: ReadonlyMap<number, number>;
}

interface Sample {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: (measured: Measured) => readonly Sample[];
}

const CAPTURE_STATES: readonly SourceState['kind'][] = ['idle', 'starting', 'running', 'suspended', 'lost'];
const MS_PER_S = 1000;

/** Every metric: docs/metrics.md lists them, and a test compares. */
export const METRICS: readonly Metric[] = [
  {
    name: 'orgo_audio_listeners',
    type: 'gauge',
    help: 'Listeners that are connected, by what they are sent.',
    samples: ({ streams }) => listenersOf(streams),
  },
  gauge('orgo_audio_listeners_limit', 'The most listeners that are admitted.', (it) => it.maxListeners),
  counter('orgo_audio_frames_total', 'Frames written to listeners.', ({ sent }) => sent.frames),
  counter('orgo_audio_payload_bytes_total', 'Bytes of sound written to listeners.', ({ sent }) => sent.bytes),
  counter(
    'orgo_audio_dropped_frames_total',
    'Frames left out because a listener did not keep up.',
    ({ sent }) => sent.dropped,
  ),
  gauge('orgo_audio_backlog_seconds', 'Sound that waits for the slowest listener.', ({ sent }) =>
    seconds(sent.backlogMs),
  ),
  {
    name: 'orgo_audio_age_seconds',
    type: 'gauge',
    help: 'Age of the newest sound that was sent; missing while nothing is captured.',
    samples: ({ ageMs }) => (ageMs === null ? [] : [{ value: seconds(ageMs) }]),
  },
  {
    name: 'orgo_audio_capture_state',
    type: 'gauge',
    help: '1 for the state in which the capture is, 0 for all others.',
    samples: ({ capture }) =>
      CAPTURE_STATES.map((state) => ({ labels: { state }, value: state === capture ? 1 : 0 })),
  },
  gauge('orgo_audio_sound', '1 while sound is heard, 0 in silence.', ({ hasSound }) => (hasSound ? 1 : 0)),
  {
    name: 'orgo_audio_encoding_seconds_total',
    type: 'counter',
    help: 'CPU time spent on resampling, cutting and encoding what is sent.',
    samples: ({ encodingMs }) =>
      [...encodingMs].map(([codec, ms]) => ({ labels: { codec }, value: seconds(ms) })),
  },
  {
    name: 'orgo_audio_refused_total',
    type: 'counter',
    help: 'Clients that were refused, by HTTP status or close code.',
    samples: ({ refused }) => [...refused].map(([code, value]) => ({ labels: { code }, value })),
  },
];

/** All metrics as one text. */
export function metricsText(measured: Measured): string {
  return METRICS.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples(measured).map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
  ])
    .map((line) => `${line}\n`)
    .join('');
}

function gauge(name: string, help: string, value: (measured: Measured) => number): Metric {
  return { name, type: 'gauge', help, samples: (measured) => [{ value: value(measured) }] };
}

function counter(name: string, help: string, value: (measured: Measured) => number): Metric {
  return { name, type: 'counter', help, samples: (measured) => [{ value: value(measured) }] };
}

function listenersOf(streams: readonly WireStream[]): Sample[] {
  const counts = new Map<string, { stream: WireStream; value: number }>();
  for (const stream of streams) {
    const entry = counts.get(stream.key) ?? { stream, value: 0 };
    entry.value++;
    counts.set(stream.key, entry);
  }
  return [...counts.values()].map(({ stream: { format, codec, frameMs, bitrate }, value }) => ({
    labels: {
      ...{ sample_rate: format.sampleRate, channels: format.channels },
      ...{ codec, bitrate: bitrate ?? '', frame_ms: frameMs },
    },
    value,
  }));
}

/** `{name="value",…}`. All values are numbers and words of ours: nothing needs escaping. */
function labelText(labels: Sample['labels']): string {
  if (!labels) return '';
  const pairs = Object.entries(labels).filter(([, value]) => value !== '');
  return `{${pairs.map(([name, value]) => `${name}="${value}"`).join(',')}}`;
}

function seconds(ms: number): number {
  return ms / MS_PER_S;
}
