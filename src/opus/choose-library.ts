/** The choice among the Opus libraries that are installed. */
import type { OpusLibrary } from './library';
import { loadNativeLibrary } from './native-library';
import { loadWasmLibrary } from './wasm-library';

let chosen: OpusLibrary | undefined;

/**
 * The native library where it loads, else the WebAssembly one, which takes 1.3 to 2 times the CPU. Chosen once.
 * @throws OrgoError `ORGO_OPUS_FAILED` where neither loads
 */
export function chooseLibrary(): OpusLibrary {
  chosen ??= loadNativeLibrary() ?? loadWasmLibrary();
  return chosen;
}
