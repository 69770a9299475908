/** A service with Deepgram's wire in a process of its own: answers every half second with a word, and tells when it sent it and when sound came. */
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { epochNow } from './epoch-now';

const RATE = 16_000;
const WORD_SAMPLES = RATE / 2;
const LEVEL = 500;

async function main(): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  /** Of each piece: samples before its end, and when it came. */
  const arrivals: [stream: number, samples: number, at: number][] = [];
  server.on('connection', (socket) => {
    let samples = 0;
    let answered = 0;
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        if (data.toString().includes('CloseStream')) socket.close(1000);
        return;
      }
      samples += data.length / 2;
      // Each stream is one level, by which it is told apart.
      const stream = Math.round(data.readInt16LE(data.length - 2) / LEVEL);
      arrivals.push([stream, samples, epochNow()]);
      for (; answered + WORD_SAMPLES <= samples; answered += WORD_SAMPLES) {
        const [start, end] = [answered / RATE, (answered + WORD_SAMPLES) / RATE];
        const words = [{ word: 'word', start: start + 0.1, end: end - 0.1, confidence: 0.9 }];
        const alternatives = [{ transcript: String(epochNow()), confidence: 0.9, words }];
        const message = {
          type: 'Results',
          start,
          duration: end - start,
          is_final: true,
          channel: { alternatives },
        };
        socket.send(JSON.stringify(message));
      }
    });
  });
  await once(server, 'listening');
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
  process.on('message', () => {
    process.send?.({ arrivals });
    process.disconnect();
    server.close();
  });
}

void main();
