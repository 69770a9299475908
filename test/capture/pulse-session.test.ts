import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { OrgoError } from '../../src/audio/errors';
import { messagePacket, PacketParser } from '../../src/capture/pulse/packets';
import { COMMAND } from '../../src/capture/pulse/protocol';
import { openSession, type Session } from '../../src/capture/pulse/session';
import { TagReader, TagWriter } from '../../src/capture/pulse/tagstruct';
import { FakeClock } from '../nodes/fake-clock';
import { SPEC, writeDevice } from '../support/pulse-replies';

const AUTH = 8;
const REPLY = 2;
const ERROR = 0;
/** Of the record stream. */
const CHANNEL = 3;

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orgo-session-'));
});
after(() => rm(dir, { recursive: true }));

/** A server that answers each request as the test says. */
class FakeServer {
  readonly socket: string;
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  /** Called with each request; undefined: no answer. */
  answer: (command: number, tag: number, client: Socket) => Buffer | undefined = () => undefined;
  /** What stood in the first request, behind its command and tag. */
  auth: TagReader | undefined;

  constructor(name: string) {
    this.socket = join(dir, name);
    this.server = createServer((client) => {
      this.clients.add(client);
      const parser = new PacketParser({
        onMessage: (message) => {
          const reader = new TagReader(message);
          const [command, tag] = [reader.u32(), reader.u32()];
          this.auth ??= reader;
          const bytes = this.answer(command, tag, client);
          if (bytes) client.write(bytes);
        },
        onAudio: () => undefined,
      });
      client.on('data', (bytes) => parser.push(bytes));
      client.on('error', () => client.destroy());
      client.on('close', () => this.clients.delete(client));
    });
  }

  async listen(): Promise<void> {
    this.server.listen(this.socket);
    await once(this.server, 'listening');
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

const reply = (tag: number, write: (writer: TagWriter) => TagWriter = (w) => w): Buffer =>
  messagePacket(write(new TagWriter().u32(REPLY).u32(tag)).done());
const refusal = (tag: number, code: number): Buffer =>
  messagePacket(new TagWriter().u32(ERROR).u32(tag).u32(code).done());

/** Starts a session, which is expected to end. */
async function ending(pulseServer: string, clock = new FakeClock()): Promise<OrgoError> {
  const error = await new Promise<OrgoError | undefined>((resolve) => {
    openSession(
      { device: '', pulseServer, env: {}, clock, fragmentMs: 10 },
      {
        onStream: () => undefined,
        onAudio: () => undefined,
        onDevice: () => undefined,
        onEnd: resolve,
      },
    );
  });
  assert.ok(error);
  assert.equal(clock.pending, 0, 'a timer was left');
  return error;
}

let count = 0;
async function withServer(test: (server: FakeServer) => Promise<void>): Promise<void> {
  const server = new FakeServer(`native-${count++}`);
  await server.listen();
  try {
    await test(server);
  } finally {
    await server.stop();
  }
}

describe('a session with a sound server', () => {
  it('ends with the address when nothing listens there', async () => {
    const path = join(dir, 'nothing');
    const error = await ending(`unix:${path}`);
    assert.equal(error.code, 'ORGO_NO_SOUND_SERVER');
    assert.ok(error.message.includes(path));
  });

  it('ends with all addresses when nothing listens at any', async () => {
    const error = await ending(`unix:${dir}/a unix:${dir}/b`);
    assert.equal(error.code, 'ORGO_NO_SOUND_SERVER');
    assert.ok(error.message.includes(`unix:${dir}/a, unix:${dir}/b`));
  });

  it('ends with the setting when that is no address', async () => {
    assert.equal((await ending('unix:nowhere')).code, 'ORGO_BAD_SETTING');
  });

  it('goes on to the next address, and tells what answered rather than what did not', () =>
    withServer(async (server) => {
      server.answer = (_command, tag) => refusal(tag, 1);
      const error = await ending(`unix:${dir}/nothing unix:${server.socket}`);
      assert.equal(error.code, 'ORGO_SOUND_ACCESS_DENIED');
      assert.match(error.message, /PULSE_COOKIE/);
    }));

  it('ends after 2 s when the server accepts and says nothing', () =>
    withServer(async (server) => {
      const clock = new FakeClock();
      // Its request has come: the time-out runs.
      server.answer = () => {
        clock.advance(2000);
        return undefined;
      };
      const error = await ending(`unix:${server.socket}`, clock);
      assert.equal(error.code, 'ORGO_NO_SOUND_SERVER');
      assert.match(error.message, /no reply within 2000 ms/);
    }));

  it('ends when the server closes the connection', () =>
    withServer(async (server) => {
      server.answer = (_command, _tag, client) => {
        client.destroy();
        return undefined;
      };
      assert.equal((await ending(`unix:${server.socket}`)).code, 'ORGO_NO_SOUND_SERVER');
    }));

  const broken: readonly (readonly [string, (tag: number) => Buffer])[] = [
    ['a huge length', () => Buffer.alloc(20, 0xff)],
    ['text', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a message that is no tagstruct', () => messagePacket(Buffer.from('nonsense'))],
    ['a message of one byte', () => messagePacket(Buffer.from('L'))],
    ['a reply that nobody waits for', (tag) => reply(tag + 1000)],
    ['a reply that is empty', (tag) => reply(tag)],
    ['a reply of other values', (tag) => reply(tag, (w) => w.string('35'))],
    ['an unknown error', (tag) => refusal(tag, 4711)],
    ['a version that is too old', (tag) => reply(tag, (w) => w.u32(12))],
    ['an error without its number', (tag) => messagePacket(new TagWriter().u32(ERROR).u32(tag).done())],
    ['a command in place of a reply', (tag) => messagePacket(new TagWriter().u32(9).u32(tag).done())],
  ];
  for (const [what, bytes] of broken) {
    it(`ends when the server sends ${what}`, () =>
      withServer(async (server) => {
        server.answer = (_command, tag) => bytes(tag);
        assert.equal((await ending(`unix:${server.socket}`)).code, 'ORGO_SOUND_SERVER_FAILED');
      }));
  }

  it('ends when any later reply is noise', () =>
    withServer(async (server) => {
      server.answer = (command, tag) =>
        reply(tag, (w) => (command === AUTH ? w.u32(35) : w.arbitrary(Buffer.alloc(100_000, 7))));
      assert.equal((await ending(`unix:${server.socket}`)).code, 'ORGO_SOUND_SERVER_FAILED');
    }));

  it('declines shared memory, and sends 256 bytes for a cookie where there is none', () =>
    withServer(async (server) => {
      server.answer = (command, tag) => {
        assert.equal(command, AUTH);
        return refusal(tag, 1);
      };
      await ending(`unix:${server.socket}`);
      assert.equal(server.auth?.u32(), 35, 'a flag is set above the version');
      assert.equal(server.auth.arbitrary().length, 256);
    }));

  it('says nothing once it is closed', () =>
    withServer(async (server) => {
      const clock = new FakeClock();
      const events: string[] = [];
      const asked = new Promise<void>((resolve) => {
        server.answer = (_command, tag, client) => {
          client.once('close', resolve);
          session.close();
          session.close();
          return refusal(tag, 1);
        };
      });
      const session: Session = openSession(
        { device: '', pulseServer: server.socket, env: {}, clock, fragmentMs: 10 },
        {
          onStream: () => events.push('stream'),
          onAudio: () => events.push('audio'),
          onDevice: () => events.push('device'),
          onEnd: () => events.push('end'),
        },
      );
      await asked;
      assert.deepEqual(events, []);
      assert.equal(clock.pending, 0);
    }));

  it('goes on when the server refuses the kick, and other pieces', () =>
    withServer(async (server) => {
      const sink = new TagWriter();
      writeDevice(sink, 35, { index: 1, name: 'a', other: 2 });
      const source = new TagWriter();
      writeDevice(source, 35, { index: 2, name: 'a.monitor', other: 1 });
      const info = new TagWriter().string('pulseaudio').string('16').string('me').string('here');
      info.sampleSpec(SPEC).string('a').string('a.monitor').u32(1).channelMap([1, 2]);
      const list = (tag: number, body: TagWriter): Buffer =>
        messagePacket(Buffer.concat([new TagWriter().u32(REPLY).u32(tag).done(), body.done()]));
      let refused = 0;
      let made = 0;
      let askedFragment = 0;
      const ends: unknown[] = [];
      const kicked = new Promise<void>((resolve) => {
        server.answer = (command, tag) => {
          switch (command) {
            case COMMAND.auth:
              return reply(tag, (w) => w.u32(35));
            case COMMAND.getServerInfo:
              return list(tag, info);
            case COMMAND.getSinkInfoList:
              return list(tag, sink);
            case COMMAND.getSourceInfoList:
              return list(tag, source);
            case COMMAND.suspendSink:
              if (++refused === 2) setImmediate(resolve);
              return refusal(tag, 1);
            case COMMAND.createRecordStream:
              made++;
              return reply(tag, (w) => w.u32(CHANNEL));
            case COMMAND.setRecordStreamBufferAttr:
              askedFragment++;
              return refusal(tag, 2);
            default:
              return reply(tag);
          }
        };
      });
      const session = openSession(
        { device: '', pulseServer: `unix:${server.socket}`, env: {}, clock: new FakeClock(), fragmentMs: 10 },
        {
          onStream: () => undefined,
          onAudio: () => undefined,
          onDevice: () => undefined,
          onEnd: (error) => ends.push(error?.message),
        },
      );
      while (made === 0 && ends.length === 0) await new Promise(setImmediate);
      session.kick();
      session.setFragment(5);
      await kicked;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      assert.deepEqual(ends, []);
      assert.equal(askedFragment, 1);
      session.close();
    }));
});
