/** Lines held for a caller that does not read; after that the stream ends, and the caller asks anew. */
const MOST_WAITING = 10_000;

/** `before`, then whatever is told, each a line of JSON, until the signal. */
export async function* follow(
  subscribe: (listener: (value: unknown) => void) => () => void,
  before: readonly unknown[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const waiting: unknown[] = [...before];
  let wake: () => void = () => undefined;
  const end = subscribe((value) => {
    waiting.push(value);
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!signal.aborted && waiting.length <= MOST_WAITING) {
      const values = waiting.splice(0);
      if (values.length > 0) yield Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    end();
  }
}
