/** A service with OpenAI's `POST /v1/audio/transcriptions`, whose words are a recogniser's. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseMultipart } from './multipart';

const KEEP_ALIVE_MS = 120_000;

export interface TranscriberOptions {
  /** The bearer token that is wanted. */
  readonly apiKey: string;
  /** Where the files that come are kept. */
  readonly directory: string;
  /** The words in a WAV file. @param model as the request named it */
  readonly recognise: (path: string, model: string) => Promise<string>;
}

/** A request that was answered with words. */
export interface Transcribed {
  readonly model: string;
  /** The WAV file that came. */
  readonly wav: Buffer;
  readonly text: string;
}

export interface Transcriber {
  /** To be used as OPENAI_BASE_URL. */
  readonly baseUrl: string;
  /** In the order in which they came. */
  readonly transcribed: readonly Transcribed[];
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Works requests off one by one, in order. */
export async function startTranscriber({
  apiKey,
  directory,
  recognise,
}: TranscriberOptions): Promise<Transcriber> {
  const transcribed: Transcribed[] = [];

  async function answer(request: IncomingMessage, body: Buffer): Promise<Answer> {
    if (request.method !== 'POST' || request.url !== '/v1/audio/transcriptions') {
      return refusal(404, `no such route: ${request.method ?? ''} ${request.url ?? ''}`);
    }
    if (request.headers.authorization !== `Bearer ${apiKey}`)
      return refusal(401, 'Incorrect API key provided');
    const type = request.headers['content-type'] ?? '';
    if (!type.startsWith('multipart/form-data;')) return refusal(400, `the content type is ${type}`);
    const form = parseMultipart(body, type);
    const [file, model] = [form.get('file'), form.get('model')?.data.toString()];
    if (file?.filename === undefined || model === undefined) return refusal(400, 'file and model are wanted');
    if (file.contentType !== 'audio/wav') return refusal(400, `the file is ${file.contentType}`);
    const wav = file.data;
    const path = join(directory, `request-${transcribed.length}.wav`);
    await writeFile(path, wav);
    const text = await recognise(path, model);
    transcribed.push({ model, wav, text });
    return { status: 200, body: { text } };
  }

  let turn: Promise<void> = Promise.resolve();
  const server = createServer((request, response) => {
    turn = turn.then(async () => reply(response, await answer(request, await bodyOf(request))));
  });
  // A recogniser takes its time: a connection that waits for the next utterance must not be closed meanwhile.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    transcribed,
    async stop() {
      server.close();
      server.closeAllConnections();
      await turn;
    },
  };
}

function refusal(status: number, message: string): Answer {
  return { status, body: { error: { message } } };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
