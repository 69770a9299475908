/** The address by which a client reached us, through a proxy or not, and whether a page comes from there. */
import type { IncomingMessage } from 'node:http';

/** As much of a request as its address depends on. */
type Addressed = Pick<IncomingMessage, 'headers' | 'socket'>;

/** A host with or without a port, as a browser would write it: nothing that could end the host part of a URL. */
const HOST = /^(?:[a-z\d._-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
/** One or more path segments of characters that need no encoding. */
const PREFIX = /^(?:\/[\w.~!$&'()*+,;=:@-]+)+$/;

/**
 * `https://host:port` without a slash at its end, or with the path that a trusted proxy took off: from
 * `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix` where a proxy is trusted, else from the connection itself.
 */
export function publicUrl(request: Addressed, trustProxy: boolean): URL {
  const proto = trustProxy ? firstOf(request, 'x-forwarded-proto') : undefined;
  const secure = proto === undefined ? 'encrypted' in request.socket : /^(?:https|wss)$/i.test(proto);
  const url = new URL(`${secure ? 'https' : 'http'}://${publicHost(request, trustProxy)}`);
  const prefix = trustProxy ? firstOf(request, 'x-forwarded-prefix')?.replace(/\/+$/, '') : undefined;
  if (prefix !== undefined && PREFIX.test(prefix)) url.pathname = prefix;
  return url;
}

/**
 * Whether a request comes from a page of the host that it asks: browsers let any page open a WebSocket anywhere. Only
 * host and port are compared, since a proxy that is not trusted may have taken HTTPS off. A client that sends no
 * `Origin` is no browser.
 */
export function isOwnOrigin(request: Addressed, trustProxy: boolean): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  // The scheme's own port may be left out of either.
  const address = `${protocol}//${publicHost(request, trustProxy)}`;
  return host !== '' && URL.canParse(address) && new URL(address).host === host;
}

/** Host and port, as a client would write them; the scheme's own port may be there or not. */
function publicHost(request: Addressed, trustProxy: boolean): string {
  const forwarded = (name: string): string | undefined => (trustProxy ? firstOf(request, name) : undefined);
  const { localAddress = '127.0.0.1', localPort = 0 } = request.socket;
  const ownHost = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  const host =
    [forwarded('x-forwarded-host'), request.headers.host, `${ownHost}:${localPort}`].find(isHost) ??
    '127.0.0.1';
  const withPort = `${host}:${forwarded('x-forwarded-port') ?? ''}`;
  return !/:\d+$/.test(host) && isHost(withPort) ? withPort : host;
}

/** Some texts that look like a host are none, such as one with a port of 99999. */
function isHost(text: string | undefined): text is string {
  return text !== undefined && HOST.test(text) && URL.canParse(`http://${text}`);
}

/** The first value of a header that proxies in a row may have added to: that of the proxy next to the client. */
function firstOf(request: Addressed, name: string): string | undefined {
  const value = request.headers[name];
  const first = (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim();
  return first === '' ? undefined : first;
}

/** A request's URL, cut at its query. */
export function splitUrl(url: string): { readonly pathname: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark < 0
    ? { pathname: url, query: '' }
    : { pathname: url.slice(0, mark), query: url.slice(mark + 1) };
}
