/** Opens sockets through an HTTP proxy by CONNECT, for HTTP requests and WebSockets alike. */
import {
  request as httpRequest,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, Socket } from 'node:net';
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import type { buildConnector } from 'undici';
import { errorText } from '../audio/errors';
import { portOf, proxyFor, type Environment, type Proxy } from './proxy';

/** A WebSocket needs HTTP/1.1, and so does our REST client. */
const ALPN = { ALPNProtocols: ['http/1.1'] };

/** What TLS needs beyond its defaults: `ca`, `cert`, `key`, `rejectUnauthorized` … of `tls.connect`. */
export type TlsOptions = ConnectionOptions;

type Done = (error: Error | null, socket: Socket | null) => void;

/**
 * Opens a socket through `proxy` to the host of `url`, with TLS if the scheme needs it, and calls `done` once, never
 * synchronously. When `signal` is aborted, what was opened so far is closed.
 */
export function openTunnel(proxy: Proxy, url: URL, tls: TlsOptions, signal: AbortSignal, done: Done): void {
  let closePart = (): void => undefined;
  const onAbort = (): void => closePart();
  const settle: Done = (error, socket) => {
    signal.removeEventListener('abort', onAbort);
    done(error, socket);
  };
  signal.addEventListener('abort', onAbort, { once: true });

  const request = connectRequest(proxy, `${url.hostname}:${portOf(url)}`);
  closePart = () => void request.destroy(new Error('the connection was given up'));
  request.once('error', (error) => settle(proxyError(proxy, `can't be reached: ${errorText(error)}`), null));
  request.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
    if (statusCode < 200 || statusCode > 299) {
      socket.destroy();
      settle(proxyError(proxy, `answered HTTP ${statusCode}`), null);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    if (url.protocol === 'http:' || url.protocol === 'ws:') {
      settle(null, socket);
      return;
    }
    const secure = tlsConnect({ servername: serverName(url), ...tls, socket });
    closePart = () => void secure.destroy(new Error('the connection was given up'));
    const onError = (error: Error): void => settle(error, null);
    secure.once('error', onError);
    secure.once('secureConnect', () => {
      secure.off('error', onError);
      settle(null, secure);
    });
  });
  request.end();
}

/** Makes undici connect to `url` through the environment's proxy, if there is one. */
export function undiciConnector(
  url: URL,
  tls: TlsOptions,
  env: Environment | undefined,
  signal: AbortSignal,
): buildConnector.BuildOptions | buildConnector.connector {
  const proxy = proxyFor(url, env);
  if (!proxy) return tls as buildConnector.BuildOptions;
  return (_options, callback) =>
    openTunnel(proxy, url, { ...tls, ...ALPN }, signal, (error, socket) => {
      if (socket) callback(null, socket);
      else callback(error ?? new Error('no socket'), null);
    });
}

/** Makes ws connect to `url` through the environment's proxy, if there is one. */
export function webSocketConnector(
  url: URL,
  tls: TlsOptions,
  env: Environment | undefined,
  signal: AbortSignal,
): Pick<ClientRequestArgs, 'createConnection'> {
  const proxy = proxyFor(url, env);
  if (!proxy) return {};
  return {
    createConnection: (_options, connected) => {
      openTunnel(proxy, url, { ...tls, ...ALPN }, signal, (error, socket) => {
        if (socket) connected(null, socket);
        else connected(error, new Socket());
      });
      return undefined;
    },
  };
}

function connectRequest(proxy: Proxy, target: string): ClientRequest {
  const { url } = proxy;
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return request({
    host: hostName(url),
    port: portOf(url),
    method: 'CONNECT',
    path: target,
    agent: false,
    headers: {
      host: target,
      ...(user !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
  });
}

/** Without a system code, which would look like the target's own. */
function proxyError({ url, variable }: Proxy, what: string): Error {
  return new Error(
    `the proxy ${url.protocol}//${url.host} ${what}; check the environment variable ${variable}`,
  );
}

/** Without the brackets of an IPv6 address. */
function hostName(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** TLS names hosts, never addresses (RFC 6066 §3). */
function serverName(url: URL): string {
  const name = hostName(url);
  return isIP(name) === 0 ? name : '';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
