/** Node 24 with Discord's libraries, which want a newer Node than the project's least. */
import { join } from 'node:path';
import { DISCORD_MODULES } from '../../support/runtimes';

export { DISCORD_MODULES as MODULES } from '../../support/runtimes';
export const NODE_24 = join(DISCORD_MODULES, 'node24', 'bin', 'node');
