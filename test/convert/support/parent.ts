/** A process of its own that converts without end, for the test that kills it: `decode`, `encode` or `blocked`. */
import { Decoding } from '../../../src/convert/decoding';
import { Encoding } from '../../../src/convert/encoding';
import { CD, made, tones } from './files';

const never = new Promise<void>(() => undefined);

async function main(): Promise<void> {
  const [mode] = process.argv.slice(2);
  const data = tones(CD, 1);
  if (mode === 'encode') {
    const encoding = new Encoding({ format: 'mp3' }, () => console.log('output'));
    for (let position = 0; ; position += 44100)
      await encoding.write({ format: CD, data, samples: 44100, position, time: 0, gap: 0, latencyMs: 0 });
  }
  const file = made('a.mp3', []);
  // Blocked: its sink never takes the first frame, so that ffmpeg stands still with its output pipe full.
  const decoding = new Decoding({}, () => {
    console.log('output');
    return mode === 'blocked' ? never : undefined;
  });
  for (;;) await decoding.write(file);
}

void main();
