/** Whether a browser's request comes from a page of the same place: browsers let any page open a WebSocket anywhere. */
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Compares `Origin` with `Host`; with `X-Forwarded-Host`, where there is one and the proxy is trusted. Who sends no
 * `Origin` is no browser.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, trustsProxy: boolean): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  const forwarded = trustsProxy ? firstOf(headers['x-forwarded-host']) : undefined;
  const asked = forwarded ?? host;
  if (asked === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  // The scheme's own port may be left out of either.
  const address = `${protocol}//${asked}`;
  return from !== '' && URL.canParse(address) && new URL(address).host === from;
}

/** Of several proxies the first one knows what was asked for. */
function firstOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  const first = text?.split(',')[0]?.trim();
  return first === '' ? undefined : first;
}
