import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe } from 'node:test';
import { parseWavHeader } from '../../../src/containers/wav-header';
import { ServiceFailure } from '../../../src/transcribe/failure';
import type { Heard } from '../../../src/transcribe/heard';
import { serviceOptions } from '../../../src/transcribe/services';
import { WHISPER_CPP } from '../../../src/transcribe/services/whisper-cpp';
import { FakeClock } from '../../nodes/fake-clock';
import { it } from '../../support/hang-guard';
import { parseMultipart, type FormPart } from '../../support/multipart';
import { NOTHING_ENTERED } from '../support/session-rig';

describe('whisper-cpp', () => {
  let server: Server;
  let form: ReadonlyMap<string, FormPart>;
  let path: string | undefined;
  let answer: unknown;

  beforeEach(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        path = request.url;
        form = parseMultipart(Buffer.concat(chunks), request.headers['content-type'] ?? '');
        response.end(JSON.stringify(answer));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function ask(base = '/', entered = {}): Promise<Heard> {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}${base}`;
    const options = serviceOptions(WHISPER_CPP, { ...NOTHING_ENTERED, url, ...entered });
    const { signal } = new AbortController();
    return WHISPER_CPP.create(options).transcribe(Buffer.alloc(3200), { clock: new FakeClock(), signal });
  }

  it('posts 16 kHz WAV to /inference, and joins tokens to words', async () => {
    const token = (word: string, start: number, end: number, probability: number): object => {
      return { word, start, end, probability };
    };
    const words = [
      ...[token('[_BEG_]', 0, 0, 1), token(' Go', 0, 0.25, 0.9), token(' for', 0.25, 0.5, 0.8)],
      ...[token('ward', 0.5, 0.75, 0.7), token('.', 0.75, 0.8, 0.95)],
    ];
    answer = { text: ' Go\n forward.\n', language: 'english', segments: [{ text: ' Go forward.', words }] };
    assert.deepEqual(await ask('/', { language: 'en', prompt: 'a robot' }), {
      text: 'Go forward.',
      language: 'english',
      words: [
        { text: 'Go', startMs: 0, endMs: 250, confidence: 0.9 },
        { text: 'forward.', startMs: 250, endMs: 800, confidence: 0.7 },
      ],
    });
    assert.equal(path, '/inference');
    const texts = ['response_format', 'language', 'prompt'].map((name) => form.get(name)?.data.toString());
    assert.deepEqual(texts, ['verbose_json', 'en', 'a robot']);
    const { format } = parseWavHeader(form.get('file')?.data ?? Buffer.alloc(0)) ?? {};
    assert.deepEqual(format, { encoding: 's16le', sampleRate: 16_000, channels: 1 });
  });

  it('keeps the path of a proxy, and one that is whole already', async () => {
    answer = { text: '' };
    await ask('/whisper/');
    assert.equal(path, '/whisper/inference');
    await ask('/inference');
    assert.equal(path, '/inference');
  });

  it('has no words where nobody speaks', async () => {
    answer = { text: ' [BLANK_AUDIO]\n', segments: [] };
    assert.deepEqual(await ask(), { text: '' });
  });

  for (const [body, kind] of [
    [{ error: 'failed to read WAV file' }, 'refused'],
    [{ words: [] }, 'nonsense'],
    ['text', 'nonsense'],
  ] as const) {
    it(`says what is wrong: ${JSON.stringify(body)}`, async () => {
      answer = body;
      await assert.rejects(ask(), (error) => error instanceof ServiceFailure && error.kind === kind);
    });
  }
});
