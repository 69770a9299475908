/** A small HTTP proxy that knows CONNECT alone, and leads every name to this machine. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ConnectProxy {
  readonly url: string;
  /** The `host:port` of each CONNECT, in order. */
  readonly targets: string[];
  /** The `Proxy-Authorization` of each CONNECT. */
  readonly credentials: (string | undefined)[];
  /** What it answers; 0: nothing at all. */
  status: number;
  /** Sockets that are open. */
  readonly open: Set<Socket>;
  close(): Promise<void>;
}

export async function startConnectProxy(): Promise<ConnectProxy> {
  const server = createServer((_request, response) => response.writeHead(405).end());
  const open = new Set<Socket>();
  const proxy: ConnectProxy = {
    url: '',
    targets: [],
    credentials: [],
    status: 200,
    open,
    async close() {
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const target = request.url ?? '';
    proxy.targets.push(target);
    proxy.credentials.push(request.headers['proxy-authorization']);
    if (proxy.status === 0) {
      // Reads on, so that it notices when the client leaves.
      client.resume().on('end', () => client.destroy());
      return;
    }
    if (proxy.status !== 200) {
      client.end(`HTTP/1.1 ${proxy.status} No\r\n\r\n`);
      return;
    }
    const there = connect(Number(target.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(client).pipe(there);
    });
    there.on('error', () => client.destroy());
    client.on('close', () => there.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
