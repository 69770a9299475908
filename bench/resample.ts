/**
 * The resampler beside sox and ffmpeg, in one run: how true the sound stays, and what it costs.
 * `--seconds 120`: how much sound each measurement of the cost takes.
 */
import { createScalarKernel } from '../src/kernels/scalar';
import { channelOf, dB, fitTone, format, middle, snrOf, tone } from '../test/resample/signals';
import { ffmpeg, ours, sox, type Candidate, type Job } from './lib/resamplers';
import { argument, printTable } from './lib/table';

const CANDIDATES = [
  sox,
  ffmpeg,
  ours('fast'),
  ours('high'),
  ours('best'),
  ours('high', createScalarKernel()),
];
/** Half a second at both ends is left out, where filters run in and out. */
const EDGE_S = 0.5;
const TONE_S = 5;
const AMPLITUDE = 0.5;
/** Rounds of which the cheapest counts: the machine does other things too. */
const ROUNDS = 3;

/** From, to, channels: what the figures of the cost are the mean of. */
const COSTS = [
  [24000, 48000, 1],
  [48000, 16000, 1],
  [44100, 48000, 2],
] as const;

/** One channel that comes out when a tone goes in. */
function resampledTone(
  candidate: Candidate,
  from: number,
  to: number,
  hz: number,
  encoding: 's16le' | 'f32le',
): Float64Array {
  const input = tone(format(from, 1, encoding), from * TONE_S, hz, AMPLITUDE);
  const data = candidate.resample({ from: input.format, toRate: to, data: input.data });
  return middle(channelOf([{ ...input, format: format(to, 1, encoding), data }]), to * EDGE_S);
}

/** The worst image or alias of tones, dBc: how loud the tone at `ghost` is when `hz` goes in. */
function ghost(
  candidate: Candidate,
  from: number,
  to: number,
  tones: readonly [hz: number, ghost: number][],
): string {
  const levels = tones.map(([hz, at]) => {
    const out = resampledTone(candidate, from, to, hz, 'f32le');
    const kept = hz < to / 2 ? fitTone(out, hz, to) : undefined;
    const rest = kept
      ? out.map((value, n) => value - kept.amplitude * Math.sin((2 * Math.PI * hz * n) / to + kept.phase))
      : out;
    return dB(fitTone(rest, at, to).amplitude / AMPLITUDE);
  });
  return Math.max(...levels).toFixed(0);
}

/** Where the gain falls below `limit` dB, × the lower Nyquist: from the response to an impulse. */
function passEnd(candidate: Candidate, from: number, to: number, limit: number): string {
  const data = Buffer.alloc(from * 4);
  const at = from / 2;
  data.writeFloatLE(1, at * 4);
  const input = { ...tone(format(from, 1, 'f32le'), 1, 1), data, samples: from };
  const out = candidate.resample({ from: input.format, toRate: to, data });
  const response = channelOf([{ ...input, format: format(to, 1, 'f32le'), data: out }]);
  const first = Math.max(0, Math.round((at * to) / from) - 4000);
  const heard = response.subarray(first, first + 8000);
  const gain = (hz: number): number => {
    let [re, im] = [0, 0];
    heard.forEach((value, n) => {
      re += value * Math.cos((2 * Math.PI * hz * n) / to);
      im += value * Math.sin((2 * Math.PI * hz * n) / to);
    });
    return dB((Math.hypot(re, im) * from) / to);
  };
  const nyquist = Math.min(from, to) / 2;
  let part = 0.7;
  while (part < 1 && gain(part * nyquist) > limit) part += 0.001;
  return part.toFixed(3);
}

function quality(): void {
  const rows = CANDIDATES.slice(0, -1).map((candidate) => [
    candidate.name,
    [
      snrOf(resampledTone(candidate, 24000, 48000, 1000, 's16le'), 1000, 48000).toFixed(1),
      snrOf(resampledTone(candidate, 48000, 16000, 1000, 's16le'), 1000, 16000).toFixed(1),
    ].join(' / '),
    [
      ghost(candidate, 24000, 48000, [
        [1000, 23000],
        [10800, 13200],
      ]),
      ghost(candidate, 48000, 16000, [[8800, 7200]]),
      ghost(candidate, 48000, 16000, [[11000, 5000]]),
    ].join(' / '),
    [-0.1, -3].map((limit) => passEnd(candidate, 24000, 48000, limit)).join(' / '),
    candidate.delay({ from: format(24000), toRate: 48000, data: Buffer.alloc(0) })?.toFixed(1) ?? '–',
  ]);
  printTable(
    'Quality',
    [
      'resampler',
      'SNR at 1 kHz, s16, 24→48 / 48→16, dB',
      'image 24→48 / alias 48→16 of 8.8 and 11 kHz, dBc',
      '−0.1 / −3 dB at × Nyquist, 24→48',
      'delay 24→48, ms',
    ],
    rows,
  );
}

function cost(): void {
  const seconds = argument('seconds', 120);
  const jobs: Job[] = COSTS.map(([from, toRate, channels]) => {
    const input = tone(format(from, channels), from, 440);
    return {
      from: input.format,
      toRate,
      data: Buffer.concat(Array.from({ length: seconds }, () => input.data)),
    };
  });
  const measured = CANDIDATES.map((candidate) => ({ candidate, costs: jobs.map(() => Infinity) }));
  // In turns, so that all see the same load of the machine.
  for (let round = 0; round < ROUNDS; round++) {
    for (const entry of measured) {
      entry.costs = entry.costs.map((cheapest, j) => {
        const job = jobs[j];
        return job ? Math.min(cheapest, entry.candidate.cost(job)) : cheapest;
      });
    }
  }
  const gold = measured[0]?.costs ?? [];
  const rows = measured.map(({ candidate, costs }) => {
    const ratios = costs.map((value, j) => value / (gold[j] ?? NaN));
    const mean = ratios.reduce((product, ratio) => product * ratio, 1) ** (1 / ratios.length);
    return [
      candidate.name,
      costs.map((value) => value.toFixed(1)).join(' / '),
      ratios.map((ratio) => ratio.toFixed(2)).join(' / '),
      mean.toFixed(2),
    ];
  });
  printTable(
    `CPU of 20 ms, Node ${process.version}`,
    ['resampler', 'µs: 24→48 mono / 48→16 mono / 44.1→48 stereo', '× sox', '× sox, geometric mean'],
    rows,
  );
}

quality();
cost();
