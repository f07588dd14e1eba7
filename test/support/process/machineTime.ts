/** Counts milliseconds in which the machine has let this process run when it wanted to: of a standstill, only so many. */
const LONGEST_GAP_MS = 30;
const TICK_MS = 5;

/** Time since the call, as a machine would measure it that never stands still: for limits that leave no room for that. */
export function machineTime(): { ms(): number; stop(): void } {
  let counted = 0;
  let last = performance.now();
  const count = () => {
    const now = performance.now();
    counted += Math.min(now - last, LONGEST_GAP_MS);
    last = now;
  };
  const timer = setInterval(count, TICK_MS);
  return {
    ms: () => {
      count();
      return counted;
    },
    stop: () => clearInterval(timer),
  };
}
