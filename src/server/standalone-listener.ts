/** A port of our own for an audio server: HTTP or HTTPS, bounded against half-open and idle connections. */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { OrgoError } from '../audio/errors';
import type { AudioServer } from './audio-server';

export interface Place {
  /** Address to bind, such as `127.0.0.1`. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface StandaloneListenerOptions extends Place {
  /** Key and certificate; undefined: plain HTTP. */
  readonly tls?: SecureContextOptions | undefined;
  /** Connections beyond this are refused, so that the process keeps file descriptors for all else. */
  readonly maxConnections: number;
}

const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 5000;

export class StandaloneListener {
  /** The port that is listened on. */
  readonly port: number;

  private constructor(
    private readonly server: Server,
    /** Node.js knows of no connection that was upgraded, or whose TLS handshake is under way. */
    private readonly sockets: ReadonlySet<Socket>,
  ) {
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * Starts to listen.
   * @throws OrgoError `ORGO_CANNOT_LISTEN` where the port is taken or may not be used
   */
  static async open(audio: AudioServer, options: StandaloneListenerOptions): Promise<StandaloneListener> {
    const limits = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      noDelay: true,
    };
    const server: Server = options.tls
      ? createTlsServer({ ...options.tls, ...limits, handshakeTimeout: HEADERS_TIMEOUT_MS })
      : createServer(limits);
    server.maxConnections = options.maxConnections;
    server.on('request', (request, response) => audio.handleRequest(request, response));
    server.on('upgrade', (request, socket, head) => audio.handleUpgrade(request, socket, head));
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      audio.handleConnection(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      // Later errors are those of single connections that could not be accepted: the port goes on.
      server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options)));
      server.listen(options.port, options.host, resolve);
    });
    return new StandaloneListener(server, sockets);
  }

  /** Stops listening, and cuts what is still connected; resolves when the port is free. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      for (const socket of this.sockets) socket.destroy();
    });
  }
}

/**
 * Whether a listener could be opened there now: resolves if so.
 * @throws OrgoError `ORGO_CANNOT_LISTEN` where the port is taken or may not be used
 */
export async function checkPort(place: Place): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(error, place)));
    server.listen(place.port, place.host, () => server.close(() => resolve()));
  });
}

function listenError(error: NodeJS.ErrnoException, { host, port }: Place): OrgoError {
  const place = `${host}:${port}`;
  const text = ((): string => {
    switch (error.code) {
      case 'EADDRINUSE':
        return `${place} is taken by another program or node: choose another port`;
      case 'EACCES':
        return `${place} may not be used: ports below 1024 need privileges, choose a higher one`;
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        return `${host} is no address of this machine: use 127.0.0.1, 0.0.0.0 or one that it has`;
      case undefined:
      default:
        return `Can't listen on ${place}: ${error.message}`;
    }
  })();
  return new OrgoError('ORGO_CANNOT_LISTEN', text, { cause: error });
}
