import { Readable } from 'node:stream';
import { RuntimeError } from '../../base/errors.ts';
import type { GetOptions, ObjectStore, StoredObject } from '../objectStore.ts';
import type { Backoff } from './backoff.ts';

/**
 * The body of `first`, going on where a connection broke, from the same object or not at all. Bytes that arrive start
 * the policy's deadline anew: a large object may take longer than it.
 */
export function resumingBody(
  store: ObjectStore,
  first: StoredObject,
  options: GetOptions,
  startBackoff: () => Backoff,
): Readable {
  let source = first.body;
  const start = options.range?.start ?? 0;
  const end = Math.min(options.range?.end ?? first.size, first.size);

  async function* bytes(): AsyncGenerator<Uint8Array> {
    let position = start;
    let backoff = startBackoff();
    for (;;) {
      try {
        for await (const chunk of source) {
          position += chunk.length;
          backoff = startBackoff();
          yield chunk;
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
    for (;;) {
      try {
        return (await store.get(first.key, { range, ifMatch: first.etag, signal: options.signal })).body;
      } catch (error) {
        await backoff(error);
      }
    }
  };

  const body = Readable.from(bytes(), { objectMode: false });
  // A reader that gives up before its first byte never enters the generator: nothing else would close the source.
  body.once('close', () => source.destroy());
  return body;
}

function brokeOff(key: string, position: number, end: number): RuntimeError {
  const details = { op: 'store.get', path: key, retryable: true };
  return new RuntimeError('unavailable', `${key} broke off at byte ${position} of ${end}`, details);
}
