/** As much of MLS (RFC 9420) as a voice server needs that proposes members from outside the group. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

const MLS_10 = 1;
const WIRE_PUBLIC_MESSAGE = 1;
const SENDER_MEMBER = 1;
const SENDER_EXTERNAL = 2;
const CONTENT_PROPOSAL = 2;
const CONTENT_COMMIT = 3;
const PROPOSAL_ADD = 1;
const PROPOSAL_REMOVE = 3;
const CREDENTIAL_BASIC = 1;
/** An uncompressed P-256 point at the end of its SPKI. */
const POINT_BYTES = 65;

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** A vector with its length before it (RFC 9420 §2.1.2). */
export function vector(content: Buffer): Buffer {
  const { length } = content;
  if (length < 64) return Buffer.concat([Buffer.of(length), content]);
  if (length < 16384) return Buffer.concat([u16(0x4000 | length), content]);
  return Buffer.concat([u32(0x80000000 + length), content]);
}

/** The voice server as a sender outside the group (RFC 9420 §12.1.8.1). */
export class ExternalSender {
  private readonly privateKey: KeyObject;
  /** What opcode 25 carries. */
  readonly package: Buffer;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.privateKey = privateKey;
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-POINT_BYTES);
    this.package = Buffer.concat([vector(point), u16(CREDENTIAL_BASIC), vector(Buffer.from('stand-in'))]);
  }

  add(groupId: bigint, epoch: bigint, keyPackage: Buffer): Buffer {
    return this.propose(groupId, epoch, Buffer.concat([u16(PROPOSAL_ADD), keyPackage]));
  }

  remove(groupId: bigint, epoch: bigint, leaf: number): Buffer {
    return this.propose(groupId, epoch, Buffer.concat([u16(PROPOSAL_REMOVE), u32(leaf)]));
  }

  /** An MLSMessage with one proposal, signed. */
  private propose(groupId: bigint, epoch: bigint, proposal: Buffer): Buffer {
    const head = Buffer.concat([u16(MLS_10), u16(WIRE_PUBLIC_MESSAGE)]);
    const content = Buffer.concat([
      ...[vector(u64(groupId)), u64(epoch), Buffer.of(SENDER_EXTERNAL), u32(0), vector(Buffer.alloc(0))],
      ...[Buffer.of(CONTENT_PROPOSAL), proposal],
    ]);
    const signed = Buffer.concat([
      vector(Buffer.from('MLS 1.0 FramedContentTBS')),
      vector(Buffer.concat([head, content])),
    ]);
    return Buffer.concat([head, content, vector(sign('sha256', signed, this.privateKey))]);
  }
}

/** Reads forward through bytes. */
class Reader {
  offset = 0;

  constructor(private readonly bytes: Buffer) {}

  number(size: number): number {
    const value = this.bytes.readUIntBE(this.offset, size);
    this.offset += size;
    return value;
  }

  skip(size: number): void {
    this.offset += size;
  }

  vector(): Buffer {
    const first = this.bytes[this.offset] ?? 0;
    const size = 1 << (first >> 6);
    const length = this.number(size) & (size === 1 ? 0x3f : size === 2 ? 0x3fff : 0x3fffffff);
    const content = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return content;
  }
}

export interface CommitWelcome {
  readonly epoch: bigint;
  /** The whole MLSMessage. */
  readonly commit: Buffer;
  readonly welcome: Buffer | undefined;
}

/** Cuts what opcode 28 carries: an MLSMessage with a commit, and perhaps a Welcome after it. */
export function readCommitWelcome(payload: Buffer): CommitWelcome {
  const reader = new Reader(payload);
  if (reader.number(2) !== MLS_10 || reader.number(2) !== WIRE_PUBLIC_MESSAGE)
    throw new Error('no public message');
  reader.vector();
  const epoch = payload.readBigUInt64BE(reader.offset);
  reader.skip(8);
  if (reader.number(1) !== SENDER_MEMBER) throw new Error('not from a member');
  reader.skip(4);
  reader.vector();
  if (reader.number(1) !== CONTENT_COMMIT) throw new Error('no commit');
  reader.vector();
  if (reader.number(1) === 1) skipUpdatePath(reader);
  for (let tags = 0; tags < 3; tags++) reader.vector();
  const commit = payload.subarray(0, reader.offset);
  const rest = payload.subarray(reader.offset);
  return { epoch, commit, welcome: rest.length > 0 ? rest : undefined };
}

/** A leaf node made for a commit, and the path (RFC 9420 §7.2, §7.6). */
function skipUpdatePath(reader: Reader): void {
  reader.vector();
  reader.vector();
  reader.skip(2);
  reader.vector();
  for (let list = 0; list < 5; list++) reader.vector();
  const source = reader.number(1);
  if (source === 1) reader.skip(16);
  if (source === 3) reader.vector();
  reader.vector();
  reader.vector();
  reader.vector();
}
