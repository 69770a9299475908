/** What a process costs that sends an encrypted packet over UDP each 20 ms and is given one by IPC, and does nothing else. */
import { createCipheriv } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';

const FRAME_MS = 20;
const HEADER = Buffer.alloc(12);
const key = Buffer.alloc(32, 1);
const socket = createSocket('udp4');
/** @type {Uint8Array[]} */
const waiting = [];

/** @param {Uint8Array} opus @param {number} counter */
function sealed(opus, counter) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(HEADER);
  const parts = [cipher.update(opus), cipher.final(), cipher.getAuthTag(), nonce.subarray(0, 4)];
  return Buffer.concat([HEADER, ...parts]);
}

process.on('disconnect', () => process.exit());
process.once('message', (/** @type {number} */ port) => {
  process.on('message', (packet) => void waiting.push(/** @type {Uint8Array} */ (packet)));
  const start = performance.now();
  let n = 0;
  const tick = () => {
    const opus = waiting.shift();
    if (opus) socket.send(sealed(opus, n), port, '127.0.0.1');
    n = Math.max(n + 1, Math.floor((performance.now() - start) / FRAME_MS));
    setTimeout(tick, Math.max(0, start + n * FRAME_MS - performance.now()));
  };
  tick();
});
