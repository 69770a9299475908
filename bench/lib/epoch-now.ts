/** Milliseconds that processes of one machine can compare: its wall clock, with the fraction. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}
