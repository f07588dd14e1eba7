import { releaseMemory } from '../releaseMemory.ts';

/** So many queries have left something to give back. */
const MANY = 1000;
/** No query for as long: nobody waits while memory is given back. */
const QUIET_MS = 10_000;

/** To be called with each query: gives back what many of them have used once they have stopped. */
export function releaseWhenQuiet(release = releaseMemory): () => void {
  let queries = 0;
  const timer = setTimeout(() => {
    if (queries < MANY) return;
    queries = 0;
    release();
  }, QUIET_MS).unref();
  return () => {
    queries += 1;
    timer.refresh();
  };
}
