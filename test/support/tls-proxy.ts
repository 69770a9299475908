/** nginx in front of a server, as in its own manual: TLS ends there, WebSockets pass through. */
import { execFile, spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isPortTaken } from './node-red';
import { adopt, endChild } from './sound-clients';

const run = promisify(execFile);

/** What is below it is passed on without it. */
export const PREFIX = '/behind/a/prefix';

export interface TlsProxy {
  readonly port: number;
  readonly pid: number;
  /** SHA-256 of the certificate's public key, in base64: what Chromium can be told to trust. */
  readonly publicKeyHash: string;
  stop(): Promise<void>;
}

/** @param names host names for the certificate @param upstream port of 127.0.0.1 @param page served at /page */
export async function startTlsProxy(names: string[], upstream: number, page: string): Promise<TlsProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'orgo-nginx-'));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', key, '-out', certificate, '-subj', '/CN=orgo-audio test'],
    ...['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`],
  ]);
  const port = await freePort();
  await writeFile(join(directory, 'page.html'), page);
  await writeFile(
    join(directory, 'nginx.conf'),
    configuration({ port, upstream, key, certificate, directory }),
  );
  const nginx = adopt(
    spawn('nginx', ['-p', directory, '-c', 'nginx.conf', '-e', 'error.log'], {
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
      stdio: 'ignore',
    }),
  );
  while (!(await isPortTaken(port))) {
    if (nginx.exitCode !== null) throw new Error(await readFile(join(directory, 'error.log'), 'utf8'));
  }
  const { publicKey } = new X509Certificate(await readFile(certificate));
  const publicKeyDer = publicKey.export({ type: 'spki', format: 'der' });
  return {
    port,
    pid: nginx.pid ?? 0,
    publicKeyHash: createHash('sha256').update(publicKeyDer).digest('base64'),
    async stop() {
      await endChild(nginx);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Configuration {
  port: number;
  upstream: number;
  key: string;
  certificate: string;
  directory: string;
}

function configuration({ port, upstream, key, certificate, directory }: Configuration): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`).join(' ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location = /page { default_type text/html; alias ${directory}/page.html; }
    proxy_http_version 1.1;
    location ${PREFIX}/ {
      proxy_pass http://127.0.0.1:${upstream}/;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}
