/** A certificate for localhost, which a process trusts by NODE_EXTRA_CA_CERTS; one for all stand-ins of a test file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../client/certificate';

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
  /** Path of the certificate; it is there until this process ends. */
  readonly path: string;
}

let ours: Certificate | undefined;

export function certificate(): Certificate {
  return (ours ??= create());
}

function create(): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'orgo-discord-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const { key, cert } = selfSigned();
  const path = join(directory, 'certificate.pem');
  writeFileSync(path, cert);
  return { key: key.toString(), certificate: cert.toString(), path };
}
