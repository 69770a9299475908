/** Serves audio servers on Node-RED's own HTTP server, beside the paths of all other nodes. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { badSetting, OrgoError } from '../../src/audio/errors';
import type { AudioServer } from '../../src/server/audio-server';
import { trimPath, type Red } from '../shared/red';

/** A place that is listened on, until it is closed. */
export interface AudioListener {
  close(): Promise<void>;
}

interface Hosted {
  readonly audio: AudioServer;
  /** The whole path of the audio WebSocket, base path included. */
  readonly path: string;
  /** Called once when another node turns out to answer at the same path. */
  readonly onRival: (error: OrgoError) => void;
}

/** What Node-RED emits when a deploy is done, and all its nodes are there. */
const DEPLOYED = 'flows:started';

/** The audio servers on one of Node-RED's servers: a single upgrade listener, and a single middleware, for all. */
class SharedServer {
  readonly hosted = new Set<Hosted>();

  constructor(
    private readonly RED: Red,
    private readonly basePath: string,
  ) {
    // Express has no way to take a route away again: this one stays, and passes on what is not ours.
    RED.httpNode.use('/api/computers', (request, response, next) => {
      const url = `${basePath}/api/computers${request.url ?? ''}`;
      const owner = this.ownerOf(url);
      if (owner?.hasRest === true) owner.handleRequest(request, response, url);
      else next();
    });
    RED.httpNode.use('/', (request, response, next) => {
      const url = `${basePath}${request.url ?? ''}`;
      const owner = [...this.hosted].find(({ audio }) => audio.isPageUrl(url))?.audio;
      if (owner) owner.handleRequest(request, response, url);
      else next();
    });
  }

  add(entry: Hosted): void {
    if (this.hosted.size === 0) {
      this.RED.server.on('upgrade', this.onUpgrade);
      this.RED.events.on(DEPLOYED, this.onDeployed);
    }
    this.hosted.add(entry);
  }

  delete(entry: Hosted): void {
    if (!this.hosted.delete(entry) || this.hosted.size > 0) return;
    this.RED.server.off('upgrade', this.onUpgrade);
    this.RED.events.off(DEPLOYED, this.onDeployed);
  }

  /** @throws OrgoError `ORGO_CANNOT_LISTEN` where another node answers at `path` */
  checkPath(path: string): void {
    checkFree(this.RED, this.basePath, path, this.hosted);
  }

  /** The server that `url` is for: one that serves just that computer comes before one that serves any. */
  private ownerOf(url: string): AudioServer | undefined {
    const servers = [...this.hosted].map(({ audio }) => audio);
    for (const wanted of ['exact', 'any', 'other'] as const) {
      const owner = servers.find((audio) => audio.fits(url) === wanted);
      if (owner) return owner;
    }
    return undefined;
  }

  /** An upgrade to any other path belongs to another node, which answers it or lets it wait. */
  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const { url = '' } = request;
    const owner = this.ownerOf(url);
    if (owner?.isAudioUrl(url) === true) owner.handleUpgrade(request, socket, head);
  };

  /** A core node cannot give way, so we do: two that answer an upgrade corrupt each other's stream. */
  private readonly onDeployed = (): void => {
    for (const entry of [...this.hosted]) {
      const rival = websocketListenerAt(this.RED, this.basePath, entry.path);
      if (rival === undefined) continue;
      this.delete(entry);
      entry.onRival(rivalError(entry.path, rival));
    }
  };
}

const sharedServers = new WeakMap<Server, SharedServer>();

/** What comes before every path of Node-RED's HTTP nodes: `` or `/red`. */
export function basePathOf(RED: Red): string {
  const { httpNodeRoot } = RED.settings;
  if (httpNodeRoot === false) {
    throw new OrgoError(
      'ORGO_CANNOT_LISTEN',
      'httpNodeRoot is false in settings.js, so Node-RED serves no paths of nodes: listen on an own port',
    );
  }
  return trimPath(httpNodeRoot);
}

/**
 * Refuses the path at which the editor's own WebSocket is: serving there would cut every editor off.
 * @throws OrgoError `ORGO_BAD_SETTING`
 */
export function checkNotEditorPath(RED: Red, path: string): void {
  const whole = basePathOf(RED) + path;
  const { httpAdminRoot } = RED.settings;
  const editors = httpAdminRoot === false ? [] : [`${trimPath(httpAdminRoot)}/comms`];
  if (whole !== '/comms' && !editors.includes(whole)) return;
  throw badSetting(
    `path is ${path}: at ${whole} Node-RED's editor has its own WebSocket, so choose another path, such as /audio`,
  );
}

/**
 * Serves `audio` on Node-RED's own server.
 * @param path the audio WebSocket's path, without the base path
 * @param onRival called when a later deploy brings a node that answers at the same path: by then, we no longer do
 * @throws OrgoError `ORGO_CANNOT_LISTEN` where another node has the path
 */
export function listenOnNodeRed(
  RED: Red,
  audio: AudioServer,
  path: string,
  onRival: (error: OrgoError) => void,
): AudioListener {
  const basePath = basePathOf(RED);
  const shared = sharedServers.get(RED.server) ?? new SharedServer(RED, basePath);
  sharedServers.set(RED.server, shared);
  const entry: Hosted = { audio, path: basePath + path, onRival };
  shared.checkPath(entry.path);
  shared.add(entry);
  return {
    close(): Promise<void> {
      shared.delete(entry);
      return Promise.resolve();
    },
  };
}

/**
 * Whether `path` could be served now.
 * @param path without the base path
 * @throws OrgoError `ORGO_CANNOT_LISTEN` where another node has it, `ORGO_BAD_SETTING` where the editor has
 */
export function checkPath(RED: Red, path: string): void {
  checkNotEditorPath(RED, path);
  const basePath = basePathOf(RED);
  checkFree(RED, basePath, basePath + path, sharedServers.get(RED.server)?.hosted ?? new Set());
}

/** @param path the whole one */
function checkFree(RED: Red, basePath: string, path: string, hosted: ReadonlySet<Hosted>): void {
  const isTaken = [...hosted].some((other) => other.path === path);
  const rival = isTaken ? 'another orgo-audio-server' : websocketListenerAt(RED, basePath, path);
  if (rival !== undefined) throw rivalError(path, rival);
}

function rivalError(path: string, rival: string): OrgoError {
  return new OrgoError('ORGO_CANNOT_LISTEN', `The path ${path} belongs to ${rival}: choose another path`);
}

/** The core node that answers upgrades at the whole `path`, in words. A disabled one answers nothing. */
function websocketListenerAt(RED: Red, basePath: string, path: string): string | undefined {
  let found: string | undefined;
  RED.nodes.eachNode((config) => {
    if (config.type !== 'websocket-listener' || config['d'] === true) return;
    if (typeof config['path'] !== 'string') return;
    if (`${basePath}/${config['path'].replace(/^\//, '')}` === path) {
      found = `the websocket-listener ${config.id}`;
    }
  });
  return found;
}
