/** What a volume may be. */

/** @throws RangeError for anything but a number from 0 to 1 */
export function checkedVolume(volume: number): number {
  if (volume >= 0 && volume <= 1) return volume;
  throw new RangeError(`volume is ${String(volume)}: it must be a number from 0 (silent) to 1 (as it comes)`);
}
