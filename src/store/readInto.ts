import { RuntimeError } from '../base/errors.ts';
import type { StoredObject } from './objectStore.ts';

/**
 * The bytes of a body in `memory`, from its start, as they arrive: yields how many are there. Those that the store has put there
 * itself (`GetOptions.into`) stay where they are. `damaged` when there are more than fit.
 */
export async function* readInto(
  { key, body }: Pick<StoredObject, 'key' | 'body'>,
  memory: Uint8Array,
): AsyncGenerator<number> {
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (length + chunk.length > memory.length)
      throw new RuntimeError('damaged', `${key}: it is longer than the ${memory.length} bytes announced`, {
        op: 'store.get',
        path: key,
      });
    placeChunk(memory, chunk, length);
    length += chunk.length;
    yield length;
  }
}

/** Puts a chunk of a body at its place, unless the store has. */
export function placeChunk(memory: Uint8Array, chunk: Uint8Array, at: number): void {
  const isThere = chunk.buffer === memory.buffer && chunk.byteOffset === memory.byteOffset + at;
  if (!isThere) memory.set(chunk, at);
}
