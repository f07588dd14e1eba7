import { Readable } from 'node:stream';

/** `source` with its errors told in the words of the store; the abort of `signal` ends it with the signal's reason. */
export function mappedBody(
  source: Readable,
  toStoreError: (error: unknown) => unknown,
  signal: AbortSignal | undefined,
): Readable {
  // An abort may come before anybody reads: what destroys the source must not be an uncaught error then.
  source.on('error', () => {});
  const end = () => source.destroy(signal?.reason);
  signal?.addEventListener('abort', end, { once: true });
  // It may have come while the source was opened.
  if (signal?.aborted) end();
  const body = Readable.from(mapped(source, toStoreError, signal), { objectMode: false });
  // A reader that gives up before its first byte never enters the generator: nothing else would close the source.
  body.once('close', () => {
    signal?.removeEventListener('abort', end);
    source.destroy();
  });
  return body;
}

async function* mapped(
  source: Readable,
  toStoreError: (error: unknown) => unknown,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    signal?.throwIfAborted();
    throw toStoreError(error);
  }
}
