/** The package as it would be published: packed from the build in dist/, listed and unpacked for tests. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The checkout's own directory. */
export const ROOT = join(__dirname, '..', '..');

export interface PackedPackage {
  /** Path of the tarball. */
  readonly file: string;
  /** Paths in the package. */
  readonly files: readonly string[];
  /** bytes */
  readonly unpackedSize: number;
  /** Removes the tarball. */
  remove(): Promise<void>;
}

/** Packs what `npm test` has built; builds first where nothing has been built yet. */
export async function packPackage(): Promise<PackedPackage> {
  if (!existsSync(join(ROOT, 'dist'))) await run(process.execPath, ['scripts/build.mjs'], { cwd: ROOT });
  const directory = await mkdtemp(join(tmpdir(), 'orgo-pack-'));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as [
    { filename: string; unpackedSize: number; files: { path: string }[] },
  ];
  return {
    file: join(directory, packed.filename),
    files: packed.files.map(({ path }) => path),
    unpackedSize: packed.unpackedSize,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
