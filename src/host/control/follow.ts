/** Lines held for a caller that does not read; after that the stream ends, and the caller asks anew. */
const MOST_WAITING = 10_000;

export interface Followed<T> {
  readonly subscribe: (listener: (value: T) => void) => () => void;
  /** What has been before. Read once it is subscribed, so that nothing is between the two. */
  readonly before: () => Promise<readonly T[]>;
  /** By which one that is in both is told once. */
  readonly key: (value: T) => unknown;
}

/** What has been before, then whatever is told, each a line of JSON, until the signal. Throws what `before` throws. */
export async function follow<T>(
  { subscribe, before, key }: Followed<T>,
  signal: AbortSignal,
): Promise<AsyncGenerator<Uint8Array>> {
  let waiting: T[] = [];
  let wake: () => void = () => undefined;
  const end = subscribe((value) => {
    waiting.push(value);
    wake();
  });
  try {
    const earlier = await before();
    const told = new Set(earlier.map(key));
    waiting = [...earlier, ...waiting.filter((value) => !told.has(key(value)))];
  } catch (error) {
    end();
    throw error;
  }

  async function* lines(): AsyncGenerator<Uint8Array> {
    signal.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal.aborted && waiting.length <= MOST_WAITING) {
        const values = waiting.splice(0);
        if (values.length > 0)
          yield Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      end();
    }
  }
  return lines();
}
