/** WebSocket frames as bytes (RFC 6455 §5.2), made once and written to every listener: servers never mask. */

const OPCODE_BINARY = 0x2;
const OPCODE_PING = 0x9;
const FIN = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAX_7_BIT_LENGTH = 125;
const MAX_16_BIT_LENGTH = 0xffff;

/** A ping carries the position that it follows, as a big-endian double. */
const PROBE_PAYLOAD_BYTES = 8;
const PROBE_BYTES = 2 + PROBE_PAYLOAD_BYTES;

/** Bytes that stand before a binary payload of `length` bytes. */
function headerBytes(length: number): number {
  if (length <= MAX_7_BIT_LENGTH) return 2;
  return length <= MAX_16_BIT_LENGTH ? 4 : 10;
}

/** A buffer for one binary frame of `payloadBytes`, header written, and where its payload begins. */
export function allocateBinaryFrame(payloadBytes: number): {
  readonly bytes: Buffer;
  readonly offset: number;
} {
  const offset = headerBytes(payloadBytes);
  const bytes = Buffer.alloc(offset + payloadBytes);
  bytes[0] = FIN | OPCODE_BINARY;
  if (offset === 2) {
    bytes[1] = payloadBytes;
  } else if (offset === 4) {
    bytes[1] = LENGTH_16;
    bytes.writeUInt16BE(payloadBytes, 2);
  } else {
    bytes[1] = LENGTH_64;
    bytes.writeBigUInt64BE(BigInt(payloadBytes), 2);
  }
  return { bytes, offset };
}

/** `bytes` with a ping after it, whose pong shows that everything up to `position` was read. */
export function withProbe(bytes: Buffer, position: number): Buffer {
  const out = Buffer.allocUnsafe(bytes.length + PROBE_BYTES);
  bytes.copy(out);
  out[bytes.length] = FIN | OPCODE_PING;
  out[bytes.length + 1] = PROBE_PAYLOAD_BYTES;
  out.writeDoubleBE(position, bytes.length + 2);
  return out;
}

/** The position in a pong's payload, or undefined where it answers none of our pings. */
export function probePosition(payload: Buffer): number | undefined {
  return payload.length === PROBE_PAYLOAD_BYTES ? payload.readDoubleBE(0) : undefined;
}
