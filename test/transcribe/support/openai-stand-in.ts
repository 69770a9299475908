/** OpenAI's transcriptions over HTTP, as documented, with an ear for coded words. */
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseWavHeader } from '../../../src/containers/wav-header';
import { parseMultipart, type FormPart } from '../../support/multipart';
import { Ear, type SpokenWord } from './coded-words';

export const OPENAI_KEY = 'key-of-openai';

/** One request, which waits for its answer. */
export interface AskedWords {
  readonly request: IncomingMessage;
  readonly form: ReadonlyMap<string, FormPart>;
  /** What the ear heard in the file. */
  readonly words: readonly SpokenWord[];
  /** Answers with the words. */
  answer(): void;
  /** Answers with something else. */
  reply(status: number, body: unknown, headers?: Record<string, string>): void;
}

/** Emits `asked` with each request; with `answers` it answers by itself. */
export class OpenAiStandIn extends EventEmitter {
  readonly asked: AskedWords[] = [];
  /** Requests that were made at the same time, at most. */
  mostAtOnce = 0;
  private open = 0;
  private readonly server: Server;

  private constructor(private readonly answers: boolean) {
    super();
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.take(request, response, Buffer.concat(chunks)));
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.open);
      response.on('close', () => this.open--);
    });
  }

  static async start({ answers = true } = {}): Promise<OpenAiStandIn> {
    const standIn = new OpenAiStandIn(answers);
    standIn.server.listen(0, '127.0.0.1');
    await once(standIn.server, 'listening');
    return standIn;
  }

  /** What a user enters as the address. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Resolves when so many requests have come. */
  async until(count: number): Promise<void> {
    while (this.asked.length < count) await once(this, 'asked');
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private take(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const form = parseMultipart(body, request.headers['content-type'] ?? '');
    const wav = form.get('file')?.data ?? Buffer.alloc(0);
    const { format, dataStart } = parseWavHeader(wav) ?? {};
    const ear = new Ear(format?.sampleRate ?? 16_000);
    const words = [...ear.push(wav.subarray(dataStart)), ...ear.flush()];
    const reply = (status: number, answer: unknown, headers: Record<string, string> = {}): void =>
      void response.writeHead(status, headers).end(JSON.stringify(answer));
    const asked: AskedWords = {
      ...{ request, form, words, reply },
      answer: () => reply(200, wordsAnswer(words)),
    };
    this.asked.push(asked);
    this.emit('asked');
    if (request.headers.authorization !== `Bearer ${OPENAI_KEY}`) {
      reply(401, { error: { message: `Incorrect API key: ${String(request.headers.authorization)}` } });
    } else if (this.answers) asked.answer();
  }
}

function wordsAnswer(words: readonly SpokenWord[]): object {
  return {
    text: words.map(({ text }) => text).join(' '),
    language: 'english',
    words: words.map(({ text, startMs, endMs }) => ({
      word: text,
      start: startMs / 1000,
      end: endMs / 1000,
    })),
  };
}
