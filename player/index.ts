/** The player as one ES module: a page imports it, and its audio worklet is the same file. */
import { registerPlayout } from './worklet';

export { createPlayer, type Player, type PlayerOptions, type PlayerState } from './player';
export type { Problem, ProblemCode } from './problems';
export type { OutputSound } from './sound';
export {
  createSoundOutput,
  type OutputState,
  type SoundOutput,
  type SoundOutputOptions,
} from './sound-output';

registerPlayout();
