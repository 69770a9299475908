/** Connections that have not been admitted: at most 32 for each address, the oldest making room for the next. */
import type { Socket } from 'node:net';
import type { Clock } from '../audio/clock';
import { networkOf } from './client-address';

/** Connections of one network that are not admitted. */
export const MAX_PENDING_OF_NETWORK = 32;
/** Over all networks. */
export const MAX_PENDING = 1000;
/**
 * A connection has this long to send its request before it counts for its network. Otherwise, when many clients of
 * one address reconnect at once, most would be cut before their correct tokens were read.
 */
const HANDSHAKE_MS = 1000;

interface Pending {
  readonly socket: Socket;
  readonly peer: string;
  network: Network | undefined;
  readonly since: number;
  /** Whether its request was read: then it is waiting for its end, not for admission. */
  judged: boolean;
}

interface Network {
  readonly name: string;
  /** The oldest first. */
  readonly connections: Set<Pending>;
  cancelCheck: (() => void) | undefined;
}

export class PendingConnections {
  private readonly networks = new Map<string, Network>();
  /** By the address and port of the other end, the oldest first: under TLS one connection is two sockets. */
  private readonly byPeer = new Map<string, Pending>();

  constructor(private readonly clock: Clock) {}

  /**
   * A connection was accepted.
   * @param address undefined where only its request will say it, as with a proxy in front
   */
  accepted(socket: Socket, address: string | undefined): void {
    const pending = this.add(socket);
    if (address !== undefined) this.join(pending, address);
  }

  /** A connection's request was read, and is not admitted yet. */
  judged(socket: Socket, address: string): void {
    const pending = this.byPeer.get(peerOf(socket)) ?? this.add(socket);
    pending.judged = true;
    if (pending.network?.name === networkOf(address)) this.enforce(pending.network);
    else this.join(pending, address);
  }

  /** A connection was admitted: it no longer counts. */
  admitted(socket: Socket): void {
    this.remove(peerOf(socket));
  }

  private add(socket: Socket): Pending {
    const peer = peerOf(socket);
    this.remove(peer);
    const pending: Pending = { socket, peer, network: undefined, since: this.clock.now(), judged: false };
    this.byPeer.set(peer, pending);
    socket.once('close', () => {
      if (this.byPeer.get(peer) === pending) this.remove(peer);
    });
    const [oldest] = this.byPeer.values();
    if (this.byPeer.size > MAX_PENDING && oldest) this.end(oldest);
    return pending;
  }

  private join(pending: Pending, address: string): void {
    this.leave(pending);
    const name = networkOf(address);
    const network = this.networks.get(name) ?? { name, connections: new Set(), cancelCheck: undefined };
    this.networks.set(name, network);
    network.connections.add(pending);
    pending.network = network;
    this.enforce(network);
  }

  /** Ends the oldest beyond the limit, but none whose handshake may still be under way. */
  private enforce(network: Network): void {
    while (network.connections.size > MAX_PENDING_OF_NETWORK) {
      const oldest = this.oldestToEnd(network);
      if (!oldest) {
        this.checkLater(network);
        return;
      }
      this.end(oldest);
    }
  }

  private oldestToEnd({ connections }: Network): Pending | undefined {
    const now = this.clock.now();
    for (const pending of connections) {
      if (pending.judged || now - pending.since >= HANDSHAKE_MS) return pending;
    }
    return undefined;
  }

  /** The time is extended once when it is up: after a stall of this process, timers run before what has arrived is read. */
  private checkLater(network: Network): void {
    network.cancelCheck ??= this.clock.after(HANDSHAKE_MS, () => {
      network.cancelCheck = this.clock.after(0, () => {
        network.cancelCheck = undefined;
        this.enforce(network);
      });
    });
  }

  private end({ socket, peer }: Pending): void {
    this.remove(peer);
    socket.destroy();
  }

  private remove(peer: string): void {
    const pending = this.byPeer.get(peer);
    if (!pending) return;
    this.byPeer.delete(peer);
    this.leave(pending);
  }

  private leave(pending: Pending): void {
    const { network } = pending;
    if (!network) return;
    pending.network = undefined;
    network.connections.delete(pending);
    if (network.connections.size > 0) return;
    network.cancelCheck?.();
    this.networks.delete(network.name);
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
