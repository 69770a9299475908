/** Key, certificates and trust from core's `tls-config` node. */
import { createSecureContext, type ConnectionOptions, type SecureContextOptions } from 'node:tls';
import { badSetting, errorText } from '../../src/audio/errors';
import type { Red, TlsConfigNode } from './red';

/**
 * The options of the `tls-config` node with this id; undefined where none is chosen.
 * @throws OrgoError `ORGO_BAD_SETTING` where there is no such node, or its files could not be read
 */
export function tlsOptionsOf(RED: Red, id: string): ConnectionOptions | undefined {
  if (id === '') return undefined;
  const node = RED.nodes.getNode(id);
  if (!isTlsConfig(node)) {
    throw badSetting(`tls is ${id}, but there is no such TLS configuration: choose one again`);
  }
  if (node.valid === false) {
    throw badSetting('The TLS configuration could not be read: check its certificate and key');
  }
  return node.addTLSOptions<ConnectionOptions>({});
}

/**
 * As {@link tlsOptionsOf}, for a server.
 * @throws OrgoError `ORGO_BAD_SETTING` too where it holds no certificate and key, or they do not fit
 */
export function serverTlsOf(RED: Red, id: string): SecureContextOptions | undefined {
  const options = tlsOptionsOf(RED, id);
  if (!options) return undefined;
  if (!options.cert || !options.key) {
    throw badSetting('The TLS configuration holds no certificate with its private key: a server needs both');
  }
  try {
    createSecureContext(options);
  } catch (error) {
    throw badSetting(`The certificate or key of the TLS configuration can't be used: ${errorText(error)}`, {
      cause: error,
    });
  }
  return options;
}

function isTlsConfig(node: unknown): node is TlsConfigNode {
  return typeof node === 'object' && node !== null && 'addTLSOptions' in node;
}
