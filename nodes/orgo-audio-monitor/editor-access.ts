/** The editor's way to the monitors: a ticket and downloads over HTTP, a WebSocket for all else. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { errorText } from '../../src/audio/errors';
import { MonitorHub } from '../../src/monitor/hub';
import { Tickets } from '../../src/monitor/tickets';
import { ADMIN_PATH, CLOSE, PERMISSION } from '../../src/monitor/viewer-protocol';
import { isOwnOrigin } from '../../src/server/public-url';
import { trimPath, type HttpApp, type Red } from '../shared/red';
import type { Dependencies } from '../shared/stream-node';
import { readHistory, wavOf } from './recording-message';

/** Of one Node-RED, admitted or not. */
const MOST_CONNECTIONS = 64;
/** The list of wanted ids is the longest message. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const TICKET_BYTES = 24;

/** One Node-RED's monitors, and what its server answers for them. Routes and listener stay: there is no way to take them away. */
export class EditorAccess {
  readonly hub: MonitorHub;
  private readonly tickets: Tickets;
  private readonly webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  private static readonly all = new WeakMap<Server, EditorAccess>();

  private constructor(
    private readonly RED: Red,
    private readonly dependencies: Dependencies,
  ) {
    const { clock } = dependencies;
    this.hub = new MonitorHub(clock);
    this.tickets = new Tickets(clock, () => randomBytes(TICKET_BYTES).toString('hex'));
    if (RED.settings.httpAdminRoot === false || !RED.httpAdmin) return;
    this.addRoutes(RED.httpAdmin);
    RED.server.on('upgrade', this.onUpgrade);
  }

  /** That of `RED`; made when it is first asked for. */
  static of(RED: Red, dependencies: Dependencies): EditorAccess {
    const known = EditorAccess.all.get(RED.server);
    if (known) return known;
    const access = new EditorAccess(RED, dependencies);
    EditorAccess.all.set(RED.server, access);
    return access;
  }

  /** Resolves when the event loop has seen to everything else. */
  readonly turn = (): Promise<void> => new Promise((resolve) => this.dependencies.defer(resolve));

  private addRoutes(app: HttpApp): void {
    const guard = this.RED.auth.needsPermission(PERMISSION);
    app.get(`${ADMIN_PATH}/ticket`, guard, (_request, response) => {
      response.setHeader('Cache-Control', 'no-store');
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ ticket: this.tickets.issue() }));
    });
    app.get(`${ADMIN_PATH}/history/:id`, guard, (request, response, next) => {
      this.sendHistory(request, response).catch(next);
    });
  }

  private async sendHistory({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = decodeURIComponent(new URL(url, 'http://localhost').pathname.split('/').at(-1) ?? '');
    const monitor = this.hub.get(id);
    response.setHeader('Cache-Control', 'no-store');
    if (!monitor) {
      refuse(response, `There is no monitor ${JSON.stringify(id)} in the deployed flows`);
      return;
    }
    try {
      const wav = wavOf(await readHistory(monitor, undefined, this.turn));
      response.setHeader('Content-Type', 'audio/wav');
      response.setHeader('Content-Length', wav.length);
      response.setHeader('Content-Disposition', 'attachment');
      response.end(wav);
    } catch (error) {
      refuse(response, errorText(error));
    }
  }

  /** An upgrade to any other path belongs to another node, or to Node-RED itself. */
  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { httpAdminRoot, requireHttps, httpServerOptions } = this.RED.settings;
    const path = `${trimPath(httpAdminRoot === false ? '' : httpAdminRoot)}${ADMIN_PATH}/socket`;
    if ((request.url ?? '').split('?')[0] !== path) return;
    const trustsProxy = requireHttps === true || Boolean(httpServerOptions?.['trust proxy']);
    // A socket that fails while nobody listens would end the process.
    socket.on('error', () => socket.destroy());
    if (!isOwnOrigin(request, trustsProxy)) reject(socket, '403 Forbidden');
    else if (this.hub.connections >= MOST_CONNECTIONS) reject(socket, '503 Service Unavailable');
    else this.webSockets.handleUpgrade(request, socket, head, (webSocket) => this.connect(webSocket));
  };

  private connect(webSocket: WebSocket): void {
    const viewer = this.hub.connect(webSocket, (ticket) => this.tickets.redeem(ticket));
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) viewer.end(CLOSE.badMessage, 'no message of this protocol');
      else viewer.receive(data.toString());
    });
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('close', () => this.hub.disconnect(viewer));
  }
}

function refuse(response: ServerResponse, text: string): void {
  response.statusCode = 404;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(text);
}

function reject(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
