/** The address that the player connects to. */

/** What the address is made of. */
export interface Address {
  readonly url: string;
  readonly token: string;
}

/**
 * The WebSocket's address, token included: not to be shown.
 * @param base what a relative `url` is relative to
 * @throws RangeError where `url` is no address of a WebSocket; the text holds no token
 */
export function audioAddress({ url, token }: Address, base: string): string {
  if (!URL.canParse(url, base))
    throw new RangeError(`“${url}” is no address: it looks like wss://host/audio`);
  const address = new URL(url, base);
  if (/^https?:$/.test(address.protocol)) address.protocol = address.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(address.protocol)) {
    throw new RangeError(
      `“${url}” is no address of a WebSocket: it begins with wss://, ws://, https:// or http://`,
    );
  }
  address.hash = '';
  address.searchParams.set('token', token);
  address.searchParams.set('clock', '1');
  return address.href;
}
