/** A process that sends 20 ms frames to everyone who connects, in one of three ways, and tells its CPU time. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock } from '../../src/audio/clock';
import { TestSignal } from '../../src/capture/test-signal';
import type { Source } from '../../src/capture/source';
import { AudioServer } from '../../src/server/audio-server';
import { StandaloneListener } from '../../src/server/standalone-listener';
import { allocateBinaryFrame } from '../../src/server/websocket-frame';

const FRAME_BYTES = 960;

/** What the parent asks for, and what it is answered. */
export type Request = 'usage' | 'stop';
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly dropped: number;
}

interface Bench {
  readonly port: number;
  takeDropped(): number;
}

async function ours(source: Source): Promise<Bench> {
  const audio = new AudioServer({ source, password: 'bench', maxListeners: 10_000 });
  const { port } = await StandaloneListener.open(audio, {
    host: '127.0.0.1',
    port: 0,
    maxConnections: 20_000,
  });
  return { port, takeDropped: () => audio.takeStats().dropped };
}

/** The bare loops: `ws.send` each time, or one framed Buffer written to every socket. */
function bare(source: Source, framedOnce: boolean): Promise<Bench> {
  const clients = new Map<WebSocket, Duplex>();
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => clients.set(webSocket, socket));
  });
  source.start({
    onState: () => undefined,
    onFrame({ data }) {
      if (framedOnce) {
        const { bytes, offset } = allocateBinaryFrame(FRAME_BYTES);
        data.copy(bytes, offset);
        for (const socket of clients.values()) socket.write(bytes);
      } else {
        for (const webSocket of clients.keys()) webSocket.send(data);
      }
    },
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ port: (server.address() as AddressInfo).port, takeDropped: () => 0 });
    });
  });
}

async function main(): Promise<void> {
  const source = new TestSignal(systemClock);
  const mode = process.argv[2];
  const bench = await (mode === 'ours' ? ours(source) : bare(source, mode === 'framed-once'));
  process.on('message', (request: Request) => {
    if (request === 'stop') process.exit(0);
    const { user, system } = process.cpuUsage();
    const usage: Usage = {
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage().rss,
      dropped: bench.takeDropped(),
    };
    process.send?.(usage);
  });
  process.send?.(bench.port);
}

void main();
