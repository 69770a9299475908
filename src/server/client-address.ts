/** Which client a request came from, and which network its address is part of. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** The client's address: the socket's, or the last one of `X-Forwarded-For` where a proxy is trusted. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded)?.split(',').at(-1)?.trim();
  return addressIn(last ?? '') ?? request.socket.remoteAddress ?? '';
}

/** The address in what a proxy wrote, which may be `192.0.2.1:5678` or `[2001:db8::1]:5678` too. */
function addressIn(text: string): string | undefined {
  const address = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(address) === 0 ? undefined : address;
}

/** What one client controls: an IPv4 address, or a /64 of IPv6, which has 2^64 addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return copyOf(mapped[1]);
  if (!address.includes(':')) return copyOf(address);
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  return [...front, ...Array<string>(Math.max(0, zeros)).fill('0'), ...back].slice(0, 4).join(':');
}

/** A string of its own: a part of a header would keep the whole header in memory. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
