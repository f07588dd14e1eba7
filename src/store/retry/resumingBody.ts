import { Readable } from 'node:stream';
import { RuntimeError } from '../../base/errors.ts';
import type { GetOptions, ObjectStore, StoredObject } from '../objectStore.ts';
import type { Backoff } from './backoff.ts';
import type { ProgressWatch } from './timeLimit.ts';

/** How a body is got again. */
export interface Resuming {
  /** Of this one body, from its request on. */
  readonly watch: ProgressWatch;
  readonly startBackoff: () => Backoff;
}

/**
 * The body of `first`, going on where a connection broke, from the same object or not at all. Progress starts
 * the policy's deadline anew: a large object may take longer than it, but not one that comes by crumbs.
 */
export function resumingBody(
  store: ObjectStore,
  first: StoredObject,
  options: GetOptions,
  { watch, startBackoff }: Resuming,
): Readable {
  let source = first.body;
  const start = options.range?.start ?? 0;
  const end = Math.min(options.range?.end ?? first.size, first.size);

  async function* bytes(): AsyncGenerator<Uint8Array> {
    let position = start;
    let backoff = startBackoff();
    for (;;) {
      try {
        watch.wait();
        for await (const chunk of source) {
          position += chunk.length;
          if (watch.got(chunk.length)) backoff = startBackoff();
          yield chunk;
          watch.wait();
        }
        if (position === end) return;
        throw brokeOff(first.key, position, end);
      } catch (error) {
        source.destroy();
        if (position === end) return;
        await backoff(error);
        source = await reopen(position, backoff);
      }
    }
  }

  const reopen = async (position: number, backoff: Backoff): Promise<Readable> => {
    const range = { start: position, end };
    const into = () => options.into?.(end - start)?.subarray(position - start);
    for (;;) {
      try {
        return (await store.get(first.key, { ...options, range, into, ifMatch: first.etag })).body;
      } catch (error) {
        await backoff(error);
      }
    }
  };

  const body = Readable.from(bytes(), { objectMode: false });
  // A reader that gives up before its first byte never enters the generator: nothing else would close the source.
  body.once('close', () => {
    watch.end();
    source.destroy();
  });
  return body;
}

function brokeOff(key: string, position: number, end: number): RuntimeError {
  const details = { op: 'store.get', path: key, retryable: true };
  return new RuntimeError('unavailable', `${key} broke off at byte ${position} of ${end}`, details);
}
