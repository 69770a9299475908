/** Hours of listening: whether the sound grows older, and whether memory grows. `--minutes 60` */
import { measureLatency } from './lib/end-to-end-latency';
import { argument, printTable, quantile } from './lib/table';

const MINUTES = argument('minutes', 10);
const WINDOW_SECONDS = argument('window', 60);
const MEBIBYTE = 1024 * 1024;

const rows: string[][] = [];
const startedAt = performance.now();

void measureLatency({ seconds: WINDOW_SECONDS }, ({ pairs, lost, report }) => {
  const minutes = (performance.now() - startedAt) / 60_000;
  const ages = pairs.map(({ ours }) => ours);
  const row = [
    minutes.toFixed(1),
    quantile(ages, 0.5).toFixed(1),
    quantile(ages, 0.99).toFixed(1),
    quantile(
      pairs.map(({ timeError }) => timeError),
      0.5,
    ).toFixed(2),
    (report.rssBytes / MEBIBYTE).toFixed(1),
    (report.heapBytes / MEBIBYTE).toFixed(1),
    String(report.messages),
    String(report.gapSamples),
    String(lost),
  ];
  rows.push(row);
  console.log(row.join('\t'));
  if (minutes < MINUTES) return true;
  const columns = [
    'minute',
    'age p50, ms',
    'age p99, ms',
    'time error, ms',
    'RSS, MiB',
    'heap, MiB',
    'messages',
  ];
  printTable('Soak', [...columns, 'gap samples', 'impulses lost'], rows);
  return false;
});
