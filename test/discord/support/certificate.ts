/** A certificate for localhost, which a process trusts by NODE_EXTRA_CA_CERTS; one for all stand-ins of a test file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
  const [keyPath, path] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', keyPath, '-out', path, '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(keyPath, 'utf8'), certificate: readFileSync(path, 'utf8'), path };
}
