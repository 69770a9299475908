/** Where an audio server listens: on a port of its own, or beside the other paths of Node-RED's server. */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { OrgoError } from '../../src/audio/errors';
import type { AudioServer } from '../../src/server/audio-server';
import type { Red } from '../shared/red';

/** A place that is listened on, until it is closed. */
export interface Host {
  close(): Promise<void>;
}

interface Hosted {
  readonly audio: AudioServer;
  /** The whole path of the audio WebSocket, base path included. */
  readonly path: string;
}

/** The audio servers on one of Node-RED's servers: a single upgrade listener, and a single middleware, for all. */
class SharedHost {
  readonly hosted = new Set<Hosted>();

  constructor(private readonly server: Server) {}

  add(entry: Hosted): void {
    if (this.hosted.size === 0) this.server.on('upgrade', this.onUpgrade);
    this.hosted.add(entry);
  }

  delete(entry: Hosted): void {
    this.hosted.delete(entry);
    if (this.hosted.size === 0) this.server.off('upgrade', this.onUpgrade);
  }

  /** Whose `url` is; who serves just that computer goes before who serves another one. */
  ownerOf(url: string): AudioServer | undefined {
    const owners = [...this.hosted].map(({ audio }) => audio);
    return (
      owners.find((audio) => audio.owns(url) === 'this') ?? owners.find((audio) => audio.owns(url) !== 'no')
    );
  }

  /** A path that is none of ours belongs to someone else, whose socket it is. */
  private readonly onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.ownerOf(request.url ?? '')?.handleUpgrade(request, socket, head);
  };
}

const sharedHosts = new WeakMap<Server, SharedHost>();

/** What stands before every path of Node-RED's HTTP nodes: `` or `/red`. */
export function basePathOf(RED: Red): string {
  const { httpNodeRoot } = RED.settings;
  if (httpNodeRoot === false) {
    throw new OrgoError(
      'ORGO_CANNOT_LISTEN',
      'httpNodeRoot is false in settings.js, so Node-RED serves no paths of nodes: listen on an own port',
    );
  }
  const trimmed = (httpNodeRoot ?? '').replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/**
 * Serves `audio` on Node-RED's own server.
 * @param path the audio WebSocket's path, without the base path
 * @throws OrgoError `ORGO_CANNOT_LISTEN` where another node owns the path
 */
export function hostOnNodeRed(RED: Red, audio: AudioServer, path: string): Host {
  const basePath = basePathOf(RED);
  const entry: Hosted = { audio, path: basePath + path };
  const shared = sharedHosts.get(RED.server) ?? createShared(RED, basePath);
  const rival = [...shared.hosted].some((other) => other.path === entry.path)
    ? 'another orgo-audio-server'
    : websocketListenerAt(RED, path);
  if (rival !== undefined) {
    throw new OrgoError(
      'ORGO_CANNOT_LISTEN',
      `The path ${entry.path} belongs to ${rival}: choose another path`,
    );
  }
  shared.add(entry);
  return {
    close(): Promise<void> {
      shared.delete(entry);
      return Promise.resolve();
    },
  };
}

function createShared(RED: Red, basePath: string): SharedHost {
  const shared = new SharedHost(RED.server);
  sharedHosts.set(RED.server, shared);
  // Express has no way to take a route away again: this one stays, and passes on what nobody owns.
  RED.httpNode.use('/api/computers', (request, response, next) => {
    const url = `${basePath}/api/computers${request.url ?? ''}`;
    const owner = shared.ownerOf(url);
    if (!owner) {
      next();
      return;
    }
    request.url = url;
    owner.handleRequest(request, response);
  });
  return shared;
}

/** The core node that answers upgrades at `path`, in words; both would answer, and corrupt each other's stream. */
function websocketListenerAt(RED: Red, path: string): string | undefined {
  let found: string | undefined;
  RED.nodes.eachNode((config) => {
    if (config.type !== 'websocket-listener' || typeof config['path'] !== 'string') return;
    if (`/${config['path'].replace(/^\//, '')}` === path) found = `the websocket-listener ${config.id}`;
  });
  return found;
}
