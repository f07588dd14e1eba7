import { releaseMemory } from './releaseMemory.ts';

/** Of state, logs or output: so many bytes have left something to give back. */
export const MUCH_BYTES = 4 * 1024 * 1024;

/** Nobody waits while memory is given back. */
const QUIET_MS = 10_000;

/**
 * To be told of each piece of work: gives back what `many` of it have used, once less than that has come in 10 s. So what is
 * done in a trickle does not keep the memory of what was done in a flood.
 */
export function releaseWhenQuiet(many: number, release = releaseMemory): (amount: number) => void {
  let since = 0;
  let waiting = false;
  const look = () => {
    const isBusy = since >= many;
    since = 0;
    waiting = isBusy;
    if (isBusy) wait();
    else release();
  };
  const wait = () => void setTimeout(look, QUIET_MS).unref();
  return (amount) => {
    since += amount;
    if (waiting || since < many) return;
    since = 0;
    waiting = true;
    wait();
  };
}
