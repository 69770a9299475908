/** A certificate for localhost, which a process trusts by NODE_EXTRA_CA_CERTS. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
  /** Path of the certificate. */
  readonly path: string;
  remove(): Promise<void>;
}

export async function createCertificate(): Promise<Certificate> {
  const directory = await mkdtemp(join(tmpdir(), 'orgo-discord-'));
  const [keyPath, path] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', keyPath, '-out', path, '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
  return {
    key: await readFile(keyPath, 'utf8'),
    certificate: await readFile(path, 'utf8'),
    path,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
