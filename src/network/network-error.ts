/** Explains, in words a user can act on, why a connection could not be made. */
import { errorText, OrgoError, type OrgoErrorCode } from '../audio/errors';
import { redact } from './redact';

/** Node's and OpenSSL's codes for a certificate that is not trusted (tls documentation, "X509 certificate error codes"). */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Scheme, host and path: what may be shown of a URL, whose query holds the token. */
export function addressText(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Why we could not reach `url`, as an error with `code`.
 * @param thrown what the socket, TLS or HTTP layer failed with
 * @param secrets never appear in the text
 */
export function networkError(
  code: OrgoErrorCode,
  url: URL,
  thrown: unknown,
  secrets: readonly string[],
): OrgoError {
  const systemCode = codeOf(thrown);
  return new OrgoError(code, explain(url, systemCode, redact(errorText(thrown), secrets)));
}

/** The code of an error, of its cause, or of the first of several attempts (IPv6, IPv4) that failed together. */
function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '';
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  if ('errors' in thrown && Array.isArray(thrown.errors)) return codeOf(thrown.errors[0]);
  return 'cause' in thrown ? codeOf(thrown.cause) : '';
}

function explain(url: URL, code: string, text: string): string {
  const where = addressText(url);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${url.hostname} does not resolve (${code}): check the address ${where} and the network`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${url.host}: check the address ${where}, and that the server runs`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${url.host} cut the connection to ${where}`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${url.host} can't be reached (${code}): check the address ${where} and the network`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${url.host} does not speak TLS: check whether ${where} should begin with ${plainScheme(url)}`;
    default:
      if (CERTIFICATE_CODES.has(code)) {
        return `The certificate of ${url.host} is not trusted (${code}): choose a TLS configuration with its CA`;
      }
      return `The connection to ${where} failed: ${text === '' ? code : text}`;
  }
}

function plainScheme(url: URL): string {
  return url.protocol === 'https:' ? 'http://' : 'ws://';
}
