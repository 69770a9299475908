/** The address by which a client reached us, through a proxy or not. */
import type { IncomingMessage } from 'node:http';

/** A host with or without a port, as a browser would write it: nothing that could end the host part of a URL. */
const HOST = /^(?:[a-z\d._-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
/** One or more path segments of characters that need no encoding. */
const PREFIX = /^(?:\/[\w.~!$&'()*+,;=:@-]+)+$/;

/**
 * `https://host:port` without a slash at its end, or with the path that a trusted proxy took off: from
 * `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix` where a proxy is trusted, else from the connection itself.
 */
export function publicUrl(request: IncomingMessage, trustProxy: boolean): URL {
  const forwarded = (name: string): string | undefined => (trustProxy ? firstOf(request, name) : undefined);
  const proto = forwarded('x-forwarded-proto');
  const secure = proto === undefined ? 'encrypted' in request.socket : /^(?:https|wss)$/i.test(proto);
  const { localAddress = '127.0.0.1', localPort = 0 } = request.socket;
  const ownHost = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  const host = [forwarded('x-forwarded-host'), request.headers.host, `${ownHost}:${localPort}`].find(
    (candidate) => candidate !== undefined && HOST.test(candidate),
  );
  const url = new URL(`${secure ? 'https' : 'http'}://${host ?? '127.0.0.1'}`);
  const port = forwarded('x-forwarded-port');
  if (url.port === '' && port !== undefined && /^\d{1,5}$/.test(port)) url.port = port;
  const prefix = forwarded('x-forwarded-prefix')?.replace(/\/+$/, '');
  if (prefix !== undefined && PREFIX.test(prefix)) url.pathname = prefix;
  return url;
}

/** The first value of a header that proxies in a row may have added to: that of the proxy next to the client. */
function firstOf(request: IncomingMessage, name: string): string | undefined {
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
