/** How voice packets are encrypted between a client and the voice server: both modes that Discord offers. */
import { createCipheriv, createDecipheriv } from 'node:crypto';

export type Mode = 'aead_aes256_gcm_rtpsize' | 'aead_xchacha20_poly1305_rtpsize';

const RTP_HEADER = 12;
const TAG = 16;
const COUNTER = 4;

/** @returns what the packet carries; throws where its tag is wrong */
export function decryptPacket(packet: Buffer, mode: Mode, key: Buffer): Buffer {
  const header = packet.subarray(0, RTP_HEADER);
  const sealed = packet.subarray(RTP_HEADER, -COUNTER);
  const decipher = createDecipher(mode, key, packet.subarray(-COUNTER));
  const length = sealed.length - TAG;
  decipher.setAAD(header, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
}

/** Header and payload as a whole packet; `counter` is never used twice with a key. */
export function encryptPacket(
  header: Buffer,
  payload: Buffer,
  mode: Mode,
  key: Buffer,
  counter: number,
): Buffer {
  const nonce = Buffer.alloc(COUNTER);
  nonce.writeUInt32BE(counter);
  const cipher =
    mode === 'aead_aes256_gcm_rtpsize'
      ? createCipheriv('aes-256-gcm', key, padded(nonce, 12))
      : createCipheriv('chacha20-poly1305', ...xchacha(key, nonce), { authTagLength: TAG });
  cipher.setAAD(header, { plaintextLength: payload.length });
  return Buffer.concat([header, cipher.update(payload), cipher.final(), cipher.getAuthTag(), nonce]);
}

function createDecipher(
  mode: Mode,
  key: Buffer,
  counter: Buffer,
): ReturnType<typeof createDecipheriv> & {
  setAAD(aad: Buffer, options: { plaintextLength: number }): unknown;
  setAuthTag(tag: Buffer): unknown;
} {
  if (mode === 'aead_aes256_gcm_rtpsize') return createDecipheriv('aes-256-gcm', key, padded(counter, 12));
  return createDecipheriv('chacha20-poly1305', ...xchacha(key, counter), { authTagLength: TAG });
}

function padded(counter: Buffer, length: number): Buffer {
  return Buffer.concat([counter, Buffer.alloc(length - counter.length)]);
}

/** Key and nonce of the ChaCha20 within XChaCha20 (draft-irtf-cfrg-xchacha-03 §2.3). */
function xchacha(key: Buffer, counter: Buffer): [Buffer, Buffer] {
  const nonce = padded(counter, 24);
  return [hchacha(key, nonce.subarray(0, 16)), Buffer.concat([Buffer.alloc(4), nonce.subarray(16)])];
}

function hchacha(key: Buffer, nonce: Buffer): Buffer {
  const state = new Uint32Array(16);
  Buffer.from('expand 32-byte k').forEach((_, i, text) => {
    if (i % 4 === 0) state[i / 4] = text.readUInt32LE(i);
  });
  for (let i = 0; i < 8; i++) state[4 + i] = key.readUInt32LE(4 * i);
  for (let i = 0; i < 4; i++) state[12 + i] = nonce.readUInt32LE(4 * i);
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(state, i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) quarter(state, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) {
    out.writeUInt32LE(state[i] ?? 0, 4 * i);
    out.writeUInt32LE(state[12 + i] ?? 0, 16 + 4 * i);
  }
  return out;
}

function quarter(s: Uint32Array, a: number, b: number, c: number, d: number): void {
  const steps = [
    [a, b, d, 16],
    [c, d, b, 12],
    [a, b, d, 8],
    [c, d, b, 7],
  ] as const;
  for (const [sum, add, mix, turn] of steps) {
    s[sum] = (s[sum] ?? 0) + (s[add] ?? 0);
    const mixed = (s[mix] ?? 0) ^ (s[sum] ?? 0);
    s[mix] = (mixed << turn) | (mixed >>> (32 - turn));
  }
}
