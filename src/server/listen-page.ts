/** The page that plays this server's sound, with its script, and the player that any page may import. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { packageRoot } from './package-root';

export interface ListenPageOptions {
  /** The page's whole path, what comes before it included: `/listen`, `/red/audio/listen`. */
  readonly path: string;
  /** The whole path of the audio WebSocket. */
  readonly audioPath: string;
  /** What is listened to, as the page names it; empty: this computer. */
  readonly name: string;
}

/** What a browser may load for the page, and whom it may ask: this server alone. */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

interface File {
  readonly name: string;
  readonly type: string;
  /** Whether pages of other origins may import it. */
  readonly isShared?: boolean;
}

const PAGE: File = { name: 'listen/index.html', type: 'text/html; charset=utf-8' };
const SCRIPT = 'text/javascript; charset=utf-8';
/** By what follows the page's path. */
const FILES: Readonly<Record<string, File>> = {
  '': PAGE,
  '/page.js': { name: 'listen/page.js', type: SCRIPT },
  '/page.css': { name: 'listen/page.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { name: 'listen/icon.svg', type: 'image/svg+xml' },
  '/player.js': { name: 'orgo-player.js', type: SCRIPT, isShared: true },
};

export class ListenPage {
  constructor(private readonly options: ListenPageOptions) {}

  /** Whether a request to `pathname` is for the page, or for one of its files. */
  has(pathname: string): boolean {
    return this.fileAt(pathname) !== undefined;
  }

  /** Answers a request for which {@link has} is true. */
  answer(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    const file = this.fileAt(pathname);
    if (!file) return;
    setHeaders(response, file);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
      return;
    }
    this.read(file).then(
      (content) => response.end(request.method === 'HEAD' ? undefined : content),
      // Only in a checkout that was never built.
      () => response.writeHead(404).end(`${file.name} was not built`),
    );
  }

  private fileAt(pathname: string): File | undefined {
    const { path } = this.options;
    const rest = pathname.slice(path.length);
    return pathname.startsWith(path) && Object.hasOwn(FILES, rest) ? FILES[rest] : undefined;
  }

  private async read(file: File): Promise<string> {
    const content = await readFile(join(packageRoot(), 'resources', file.name), 'utf8');
    return file === PAGE ? this.fillIn(content) : content;
  }

  /** Every address in the page is relative, so that it is right behind any proxy and any prefix. */
  private fillIn(content: string): string {
    const { path, audioPath, name } = this.options;
    const values: Readonly<Record<string, string>> = {
      name: name === '' ? 'this computer' : name,
      page: basename(path),
      audio: relativeAddress(path, audioPath),
    };
    return content.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => escapeHtml(values[key] ?? ''));
  }
}

/** The path `to`, as it is written in a page at the path `from`. */
export function relativeAddress(from: string, to: string): string {
  const [here, there] = [from.split('/').slice(0, -1), to.split('/')];
  while (here.length > 0 && there.length > 1 && here[0] === there[0]) {
    here.shift();
    there.shift();
  }
  return ['.', ...here.map(() => '..'), ...there].join('/');
}

function setHeaders(response: ServerResponse, { type, isShared = false }: File): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Security-Policy', POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-cache');
  if (!isShared) return;
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
