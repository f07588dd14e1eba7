/** Milliseconds that it takes. */
export async function took(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/**
 * The first time below `limit`, or the shortest of five, milliseconds. For a promised limit between processes: a machine that stands
 * still makes some attempts too long, what is too slow makes all of them so.
 */
export async function shortest(limit: number, attempt: () => Promise<number>): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5 && shortest >= limit; tries += 1)
    shortest = Math.min(shortest, await attempt());
  return shortest;
}
