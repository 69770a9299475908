/** The fastest kernel that this machine has, and what it does. */
import type { Kernel } from './contract';
import { createScalarKernel } from './scalar';
import { createSimdKernel } from './simd';
import { webAssembly } from './web-assembly';

export { ROW_MULTIPLE, type Kernel, type StridePlan } from './contract';

/** WebAssembly where it has SIMD, else the scalar loops. */
export const kernel: Kernel = createSimdKernel(webAssembly()) ?? createScalarKernel();
