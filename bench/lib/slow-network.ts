/** A network in between: passes what a server sends later, by jitter, and not at all while it stalls; always in order. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class SlowNetwork {
  /** What is on its way waits up to this long, at random, ms. */
  jitterMs = 0;
  private stalledUntil = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async to(port: number): Promise<SlowNetwork> {
    const server = createServer({ noDelay: true });
    const network = new SlowNetwork(server);
    server.on('connection', (near) =>
      network.join(near, connect({ port, host: '127.0.0.1', noDelay: true })),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Nothing passes for `ms`; then all of it comes at once. */
  stall(ms: number): void {
    this.stalledUntil = performance.now() + ms;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private join(near: Socket, far: Socket): void {
    let due = 0;
    far.on('data', (chunk) => {
      const now = performance.now();
      due = Math.max(due, this.stalledUntil, now + this.jitterMs * Math.random());
      setTimeout(() => near.write(chunk), Math.max(0, due - now));
    });
    near.on('data', (chunk) => far.write(chunk));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }
}
