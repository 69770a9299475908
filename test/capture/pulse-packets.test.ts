import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { messagePacket, PacketParser } from '../../src/capture/pulse/packets';

function header(length: number, channel: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(length);
  bytes.writeUInt32BE(channel, 4);
  bytes.writeUInt32BE(flags, 16);
  return bytes;
}

/** All that came: messages whole, samples joined per run. */
function parse(pieces: readonly Buffer[]): string[] {
  const seen: string[] = [];
  let last: number | undefined;
  const parser = new PacketParser({
    onMessage(message) {
      seen.push(`message ${message.toString('hex')}`);
      last = undefined;
    },
    onAudio(channel, bytes) {
      if (last === channel) seen.push((seen.pop() ?? '') + bytes.toString('hex'));
      else seen.push(`audio ${channel} ${bytes.toString('hex')}`);
      last = channel;
    },
  });
  for (const piece of pieces) parser.push(piece);
  return seen;
}

const body = fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes));
const packets = fc.array(
  fc.oneof(
    body.map(messagePacket),
    fc
      .tuple(fc.nat(9), body)
      .map(([channel, bytes]) => Buffer.concat([header(bytes.length, channel), bytes])),
  ),
  { maxLength: 10 },
);

describe('packets of the native protocol', () => {
  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (list, cuts) => {
        const whole = Buffer.concat(list);
        const pieces: Buffer[] = [];
        for (let at = 0, cut = 0; at < whole.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1;
          pieces.push(whole.subarray(at, at + length));
          at += length;
        }
        assert.deepEqual(parse(pieces), parse([whole]));
      }),
    );
  });

  it('pass samples on before their packet is whole', () => {
    assert.deepEqual(parse([header(1_000_000, 3), Buffer.from([1, 2, 3])]), ['audio 3 010203']);
  });

  const broken: readonly (readonly [string, Buffer])[] = [
    ['a message of 4 GB', header(0xffffffff, 0xffffffff)],
    ['a message of 4 MB and a byte', header(4 * 1024 * 1024 + 1, 0xffffffff)],
    ['an empty message', header(0, 0xffffffff)],
    ['samples of 4 GB', header(0xffffffff, 0)],
    ['shared memory', header(16, 0xffffffff, 0x80000000)],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ];
  for (const [what, bytes] of broken) {
    it(`fail on ${what}, without taking memory for it`, () => {
      assert.throws(() => parse([bytes]), { code: 'ORGO_SOUND_SERVER_FAILED' });
    });
  }
});
