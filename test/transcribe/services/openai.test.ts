import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import { isWav, parseWavHeader } from '../../../src/containers/wav-header';
import type { Heard } from '../../../src/transcribe/heard';
import { ServiceFailure } from '../../../src/transcribe/failure';
import type { Transcriber } from '../../../src/transcribe/service';
import { serviceOptions, type EnteredService } from '../../../src/transcribe/services';
import { OPENAI } from '../../../src/transcribe/services/openai';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { parseMultipart, type FormPart } from '../../support/multipart';
import { NOTHING_ENTERED } from '../support/session-rig';

const KEY = 'sesame-of-openai';
const SOUND = Buffer.alloc(16_000 * 2);

interface Asked {
  readonly request: IncomingMessage;
  readonly form: ReadonlyMap<string, FormPart>;
}

describe('openai', () => {
  let server: Server;
  let asked: Asked[];
  /** What the service answers, one after the other. */
  let answers: ((response: ServerResponse) => void)[];

  beforeEach(async () => {
    asked = [];
    answers = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const form = parseMultipart(Buffer.concat(chunks), request.headers['content-type'] ?? '');
        asked.push({ request, form });
        answers.shift()?.(response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function create(entered: Partial<EnteredService> = {}): Transcriber {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/v1`;
    return OPENAI.create(serviceOptions(OPENAI, { ...NOTHING_ENTERED, url, apiKey: KEY, ...entered }));
  }

  function ask(transcriber: Transcriber, signal = new AbortController().signal): Promise<Heard> {
    return transcriber.transcribe(SOUND, { clock: new FakeClock(), signal });
  }

  function json(status: number, body: unknown, headers: Record<string, string> = {}) {
    return (response: ServerResponse) =>
      void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async function failure(promise: Promise<unknown>): Promise<ServiceFailure> {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ServiceFailure, String(error));
    assert.equal(error.message.includes(KEY), false, 'the key is shown');
    return error;
  }

  it('sends a WAV file with the key in a header, and reads text, words and language', async () => {
    answers.push(
      json(200, {
        text: ' go forward ',
        language: 'english',
        words: [
          { word: 'go', start: 0.1, end: 0.3 },
          { word: 'forward', start: 0.4, end: 0.9 },
        ],
      }),
    );
    assert.deepEqual(await ask(create({ language: 'en', prompt: 'a robot' })), {
      text: 'go forward',
      language: 'english',
      words: [
        { text: 'go', startMs: 100, endMs: 300 },
        { text: 'forward', startMs: 400, endMs: 900 },
      ],
    });
    const [{ request, form } = assert.fail()] = asked;
    assert.equal(request.url, '/v1/audio/transcriptions');
    assert.equal(request.headers.authorization, `Bearer ${KEY}`);
    const texts = ['model', 'language', 'prompt', 'response_format', 'timestamp_granularities[]'];
    assert.deepEqual(
      texts.map((name) => form.get(name)?.data.toString()),
      ['whisper-1', 'en', 'a robot', 'verbose_json', 'word'],
    );
    const { data = Buffer.alloc(0), contentType } = form.get('file') ?? {};
    assert.equal(contentType, 'audio/wav');
    assert.ok(isWav(data));
    assert.equal(parseWavHeader(data)?.dataLength, SOUND.length);
  });

  it('asks a model without word times for text alone, and remembers it', async () => {
    const refusal = {
      error: { message: "response_format 'verbose_json' is not compatible with this model" },
    };
    answers.push(json(400, refusal), json(200, { text: 'one' }), json(200, { text: 'two' }));
    const transcriber = create({ model: 'gpt-4o-transcribe' });
    assert.equal((await ask(transcriber)).text, 'one');
    assert.equal((await ask(transcriber)).text, 'two');
    assert.deepEqual(
      asked.map(({ form }) => form.get('response_format')?.data.toString()),
      ['verbose_json', 'json', 'json'],
    );
  });

  it('sends no key to a service of your own that has none', async () => {
    answers.push(json(200, { text: '' }));
    assert.equal((await ask(create({ apiKey: '' }))).text, '');
    assert.equal(asked[0]?.request.headers.authorization, undefined);
  });

  const refusals: readonly [status: number, body: unknown, kind: string, text: RegExp][] = [
    [
      401,
      { error: { message: `Incorrect API key provided: ${KEY}` } },
      'key',
      /rejected the API key: “HTTP 401 .*\*\*\*”/,
    ],
    [403, {}, 'key', /“HTTP 403”/],
    [400, { error: { message: 'Audio file is too short.' } }, 'refused', /too short/],
    [404, { error: { message: 'The model `x` does not exist' } }, 'refused', /The model `x` does not exist/],
    [413, '<html>too large</html>', 'refused', /HTTP 413/],
    [429, { error: { message: 'No quota left', code: 'insufficient_quota' } }, 'refused', /No quota left/],
    [429, { error: { message: 'Slow down' } }, 'failed', /Slow down/],
    [500, 'oops', 'failed', /HTTP 500/],
    [302, '', 'refused', /HTTP 302/],
  ];
  for (const [status, body, kind, text] of refusals) {
    it(`says what ${status} ${JSON.stringify(body).slice(0, 40)} means`, async () => {
      answers.push(json(status, body));
      const error = await failure(ask(create()));
      assert.equal(error.kind, kind);
      assert.match(error.message, text);
    });
  }

  it('reads how long it is asked to wait, in seconds or as a date', async () => {
    answers.push(json(429, {}, { 'retry-after': '7' }));
    assert.equal((await failure(ask(create()))).retryAfterMs, 7000);
    const date = new Date('2026-01-01T00:00:00Z').toUTCString();
    const until = new Date('2026-01-01T00:00:09Z').toUTCString();
    answers.push(json(503, {}, { date, 'retry-after': until }));
    assert.equal((await failure(ask(create()))).retryAfterMs, 9000);
  });

  const nonsense: readonly [name: string, body: string][] = [
    ['a web page', '<html>Welcome</html>'],
    ['half an object', '{"text": "on'],
    ['an object without text', '{"texts": []}'],
    ['10 MB', JSON.stringify({ text: 'x'.repeat(10 * 1024 * 1024) })],
  ];
  for (const [name, body] of nonsense) {
    it(`passes over ${name}`, async () => {
      answers.push(json(200, body));
      const error = await failure(ask(create()));
      assert.deepEqual([error.kind, error.code], ['nonsense', 'ORGO_SERVICE_BAD_ANSWER']);
      assert.ok(error.message.length < 500);
    });
  }

  it('leaves out words that make no sense', async () => {
    answers.push(
      json(200, { text: 'one', words: [{ word: 'one', start: 'x', end: 1 }, 7, null], language: 3 }),
    );
    assert.deepEqual(await ask(create()), { text: 'one', language: undefined, words: [] });
  });

  it('ends when the time is up, also where nothing answers', async () => {
    const abort = new AbortController();
    const answer = ask(create(), abort.signal);
    answers.push(() => abort.abort(new Error('time is up')));
    await assert.rejects(answer, /time is up/);
  });

  it('says that nothing listens', async () => {
    const transcriber = create();
    server.close();
    const error = await failure(ask(transcriber));
    assert.deepEqual([error.kind, error.code], ['failed', 'ORGO_SERVICE_FAILED']);
    assert.match(error.message, /Nothing listens at 127\.0\.0\.1/);
  });
});
