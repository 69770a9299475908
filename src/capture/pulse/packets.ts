/** The packets of PulseAudio's native protocol: a 20-byte header, then a message or a stream's samples. */
import { malformed } from './tagstruct';
import { INVALID_INDEX } from './protocol';

/** u32 each: length, channel, offset (high, low), flags. */
const HEADER_BYTES = 20;
/** A list of a thousand devices stays below it. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** FRAME_SIZE_MAX_ALLOW of pulsecore/pstream.c */
const MAX_AUDIO_BYTES = 16 * 1024 * 1024;
/** In place of a channel: the packet is a message. */
const CONTROL_CHANNEL = INVALID_INDEX;
/** Flag bits that announce shared memory, which was declined. */
const SHARED_MEMORY_FLAGS = 0xf0000000;

/** One message as it goes over the socket. */
export function messagePacket(message: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(message.length);
  header.writeUInt32BE(CONTROL_CHANNEL, 4);
  return Buffer.concat([header, message]);
}

/** Receives what the packets hold. */
export interface PacketSink {
  onMessage(message: Buffer): void;
  /** Part of a stream's samples, as it arrives: it may end within a sample. Shares the socket's memory. */
  onAudio(channel: number, bytes: Buffer): void;
}

type ParserState =
  | { readonly kind: 'header'; have: number }
  | { readonly kind: 'message'; readonly body: Buffer; have: number }
  | { readonly kind: 'audio'; readonly channel: number; left: number };

/** Takes a byte stream apart, however it is cut. Holds one header or message at most; samples pass through. */
export class PacketParser {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private state: ParserState = { kind: 'header', have: 0 };

  constructor(private readonly sink: PacketSink) {}

  /** @throws {OrgoError} ORGO_SOUND_SERVER_FAILED on a header that can't be; the connection is lost then */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at += this.take(bytes, at);
  }

  /** Takes what the present state can use from `at` on, and returns how much that was. */
  private take(bytes: Buffer, at: number): number {
    const state = this.state;
    switch (state.kind) {
      case 'header': {
        const used = bytes.copy(this.header, state.have, at, at + HEADER_BYTES - state.have);
        state.have += used;
        if (state.have === HEADER_BYTES) this.begin();
        return used;
      }
      case 'message': {
        const used = bytes.copy(state.body, state.have, at);
        state.have += used;
        if (state.have === state.body.length) {
          this.state = { kind: 'header', have: 0 };
          this.sink.onMessage(state.body);
        }
        return used;
      }
      case 'audio': {
        const part = bytes.subarray(at, at + state.left);
        state.left -= part.length;
        if (state.left === 0) this.state = { kind: 'header', have: 0 };
        this.sink.onAudio(state.channel, part);
        return part.length;
      }
    }
  }

  private begin(): void {
    const length = this.header.readUInt32BE();
    const channel = this.header.readUInt32BE(4);
    const flags = this.header.readUInt32BE(16);
    const isMessage = channel === CONTROL_CHANNEL;
    if ((flags & SHARED_MEMORY_FLAGS) !== 0) throw malformed('samples in shared memory, which was declined');
    if (length === 0 || length > (isMessage ? MAX_MESSAGE_BYTES : MAX_AUDIO_BYTES)) {
      throw malformed(`a packet of ${length} bytes`);
    }
    this.state = isMessage
      ? { kind: 'message', body: Buffer.allocUnsafe(length), have: 0 }
      : { kind: 'audio', channel, left: length };
  }
}
