import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import { ServiceFailure } from '../../../src/transcribe/failure';
import type { Heard } from '../../../src/transcribe/heard';
import { serviceOptions, type EnteredService } from '../../../src/transcribe/services';
import { WYOMING } from '../../../src/transcribe/services/wyoming';
import { writeEvent, WyomingReader } from '../../../src/transcribe/wyoming-events';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { Ear, speech, wordsInARow } from '../support/coded-words';
import { NOTHING_ENTERED } from '../support/session-rig';

/** What comes on one connection, byte by byte as documented: written here anew, so that it finds our own mistakes. */
async function* eventsOf(
  socket: Socket,
): AsyncGenerator<{ header: Record<string, unknown>; payload: Buffer }> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n')) {
      const header = JSON.parse(bytes.toString('utf8', 0, end)) as Record<string, unknown>;
      const [dataLength = 0, payloadLength = 0] = [
        header['data_length'],
        header['payload_length'],
      ] as number[];
      const start = end + 1 + dataLength;
      if (bytes.length < start + payloadLength) break;
      const data = JSON.parse(bytes.toString('utf8', end + 1, start) || '{}') as object;
      const payload = bytes.subarray(start, start + payloadLength);
      bytes = bytes.subarray(start + payloadLength);
      yield { header: { ...header, data }, payload };
    }
  }
}

describe('wyoming', () => {
  let server: Server;
  /** What a connection is answered with, after all of its sound. */
  let answer: (socket: Socket, heard: string) => void;
  let violations: string[];
  let asked: unknown[];

  beforeEach(async () => {
    violations = [];
    asked = [];
    answer = (socket, text) => socket.end(writeEvent('transcript', { text, language: 'en' }));
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      // A client that has its answer leaves without a word.
      serve(socket).catch(() => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  async function serve(socket: Socket): Promise<void> {
    const ear = new Ear(16_000);
    const words: string[] = [];
    const expected = ['transcribe', 'audio-start', 'audio-chunk', 'audio-stop'];
    let at = 0;
    for await (const { header, payload } of eventsOf(socket)) {
      const { type, data } = header as { type: string; data: Record<string, unknown> };
      if (type !== expected[at] && type !== expected[++at])
        violations.push(`${type} after ${expected[at - 1] ?? ''}`);
      if (type === 'transcribe') asked.push(data);
      if (type === 'audio-start' || type === 'audio-chunk') {
        const { rate, width, channels } = data;
        if (rate !== 16_000 || width !== 2 || channels !== 1)
          violations.push(`${type}: ${JSON.stringify(data)}`);
      }
      if (type === 'audio-chunk') words.push(...ear.push(payload).map(({ text }) => text));
      if (type === 'audio-stop') answer(socket, words.join(' '));
    }
  }

  function ask(entered: Partial<EnteredService> = {}, signal = new AbortController().signal): Promise<Heard> {
    const port = (server.address() as AddressInfo | null)?.port ?? 0;
    const options = serviceOptions(WYOMING, {
      ...NOTHING_ENTERED,
      url: `tcp://127.0.0.1:${port}`,
      ...entered,
    });
    const sound = speech(16_000, wordsInARow(3, 100), 1100);
    return WYOMING.create(options).transcribe(sound, { clock: new FakeClock(), signal });
  }

  async function failure(promise: Promise<unknown>): Promise<ServiceFailure> {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ServiceFailure, String(error));
    return error;
  }

  it('sends an utterance as its own clients do, and reads the words', async () => {
    assert.deepEqual(await ask({ model: 'tiny', language: 'en' }), { text: 'zero one two', language: 'en' });
    assert.deepEqual(asked, [{ name: 'tiny', language: 'en' }]);
    assert.deepEqual(violations, []);
  });

  it('reads an answer that comes in single bytes, among other events', async () => {
    answer = (socket, text) => {
      const events = [writeEvent('transcript-start', {}), writeEvent('transcript', { text })];
      for (const byte of Buffer.concat(events)) socket.write(Buffer.of(byte));
    };
    assert.equal((await ask()).text, 'zero one two');
  });

  it('says what the service refuses', async () => {
    answer = (socket) => socket.end(writeEvent('error', { text: 'no such model', code: 'model' }));
    const error = await failure(ask());
    assert.deepEqual([error.kind, error.said], ['refused', 'no such model']);
  });

  const nonsense: readonly [name: string, bytes: Buffer][] = [
    ['a web page', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a length that can not be', Buffer.from('{"type":"transcript","data_length":-1}\n')],
    ['a transcript without text', writeEvent('transcript', {})],
    ['an event without a type', Buffer.from('{}\n')],
    ['a line that does not end', Buffer.alloc(3 * 1024 * 1024, 'x')],
  ];
  for (const [name, bytes] of nonsense) {
    it(`passes over ${name}`, async () => {
      answer = (socket) => socket.write(bytes);
      assert.equal((await failure(ask())).kind, 'nonsense');
    });
  }

  it('fails where the service closes without an answer, or half of one', async () => {
    answer = (socket) => socket.end(writeEvent('transcript', { text: 'half' }).subarray(0, 40));
    assert.match((await failure(ask())).message, /closed without an answer/);
  });

  it('ends when the time is up', async () => {
    const abort = new AbortController();
    answer = () => abort.abort(new Error('time is up'));
    await assert.rejects(ask({}, abort.signal), /time is up/);
  });

  it('says that nothing listens', async () => {
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const error = await failure(ask({ url: `tcp://127.0.0.1:${port}` }));
    assert.match(error.message, /Nothing listens/);
  });
});

describe('WyomingReader', () => {
  it('reads data in the line itself, and skips bytes that follow', () => {
    const bytes = Buffer.from('{"type":"info","data":{"a":1},"payload_length":3}\nxyz{"type":"b"}\n');
    assert.deepEqual(new WyomingReader().push(bytes), [
      { type: 'info', data: { a: 1 } },
      { type: 'b', data: {} },
    ]);
  });
});
