/** The addresses of the Orgo audio protocol: the two forms of the WebSocket, and the REST routes beside them. */
import { percentEncode } from './percent-encoding';

/** The placeholder of an address template. */
export const COMPUTER_ID_PLACEHOLDER = '{computer_id}';

/** Template of the hosted service, as its document gives it: a host for each computer. */
export const HOSTED_AUDIO_URL = 'wss://{computer_id}.orgo.dev/audio';
export const HOSTED_API_URL = 'https://www.orgo.ai/api';

/** Puts a computer's id into an address template, encoded for a URL. */
export function fillTemplate(template: string, computerId: string): string {
  return template.replaceAll(COMPUTER_ID_PLACEHOLDER, percentEncode(computerId));
}

/** What is appended to a computer's `connection_url` to reach its audio WebSocket. */
export const CONNECTION_AUDIO_PATH = '/ws/audio';

/** `/desktops/{id}`: the path of a computer's `connection_url`. */
export function desktopPath(computerId: string): string {
  return `/desktops/${percentEncode(computerId)}`;
}

/** `/desktops/{id}/ws/audio`: the path of the newer form of the audio URL. */
export function desktopAudioPath(computerId: string): string {
  return desktopPath(computerId) + CONNECTION_AUDIO_PATH;
}

/** What a request path asks for. */
export type Route =
  | { readonly kind: 'audio' }
  | { readonly kind: 'desktop-audio'; readonly computerId: string }
  | { readonly kind: 'computer'; readonly computerId: string }
  | { readonly kind: 'password'; readonly computerId: string };

const DESKTOP_AUDIO = /^\/desktops\/([^/]+)\/ws\/audio$/;
const COMPUTER = /^\/api\/computers\/([^/]+)(\/vnc-password)?$/;

/**
 * Which of our routes `pathname` is; undefined if it is not ours. A computer's id is percent-decoded; one that
 * does not decode, or decodes to something with a slash or a control character, is no id of ours.
 * @param audioPath the configured path of the audio WebSocket, such as `/audio`
 */
export function routeOf(pathname: string, audioPath: string): Route | undefined {
  if (pathname === audioPath) return { kind: 'audio' };
  const desktop = DESKTOP_AUDIO.exec(pathname);
  const computer = COMPUTER.exec(pathname);
  const computerId = decodeId(desktop?.[1] ?? computer?.[1]);
  if (computerId === undefined) return undefined;
  if (desktop) return { kind: 'desktop-audio', computerId };
  return { kind: computer?.[2] === undefined ? 'computer' : 'password', computerId };
}

function decodeId(encoded: string | undefined): string | undefined {
  if (encoded === undefined) return undefined;
  try {
    const id = decodeURIComponent(encoded);
    // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
    return /[/\\\u0000-\u001f]/.test(id) || id === '.' || id === '..' ? undefined : id;
  } catch {
    return undefined;
  }
}
