/**
 * Runs `work` on each item, `limit` at a time, in order. The first failure aborts the others' signal, and is thrown
 * once all of them have ended.
 */
export async function inParallel<T>(
  limit: number,
  items: Iterable<T>,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const worker = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (either.aborted) return;
      try {
        await work(next.value, either);
      } catch (error) {
        errors.push(error);
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (errors.length > 0) throw errors[0];
  signal.throwIfAborted();
}
