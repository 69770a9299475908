/** Writes docs/settings.md from the settings of all nodes: `node --import tsx scripts/docs.ts`. A test compares them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsPage } from './lib/settings-table';

async function main(): Promise<void> {
  writeFileSync(join(__dirname, '..', 'docs', 'settings.md'), await settingsPage());
}

void main();
