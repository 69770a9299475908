/** The Opus libraries, each with a suite of its own. */
import type { OpusLibrary } from '../../../src/opus/library';
import { loadNativeLibrary } from '../../../src/opus/native-library';
import { loadWasmLibrary } from '../../../src/opus/wasm-library';
import { describeWith, type SuiteTools } from '../../support/needs';

/** The native library is optional, and does not install everywhere: its suite is then skipped, by name. */
export function describeLibraries(suite: (library: OpusLibrary, tools: SuiteTools) => void): void {
  const native = loadNativeLibrary();
  const wasm = loadWasmLibrary();
  const skip = native ? false : '@discordjs/opus is not installed here, or was built for another Node';
  describeWith({ skip }, 'with @discordjs/opus', (tools) => suite(native ?? wasm, tools));
  describeWith({ skip: false }, `with ${wasm.name}`, (tools) => suite(wasm, tools));
}
