import { RuntimeError } from '../../base/errors.ts';
import { startSha256 } from '../../base/sha256.ts';
import type { StoredObject } from '../../store/objectStore.ts';

/** All bytes of an archive, as they arrive. Its SHA-256, hex. */
export async function receive(
  object: StoredObject,
  put: (chunk: Uint8Array, position: number) => void,
): Promise<string> {
  const sha256 = startSha256(object.size);
  let position = 0;
  for await (const chunk of object.body as AsyncIterable<Uint8Array>) {
    if (position + chunk.length > object.size) throw brokenOff(object);
    put(chunk, position);
    sha256.update(chunk);
    position += chunk.length;
  }
  if (position !== object.size) throw brokenOff(object);
  return sha256.digest();
}

function brokenOff({ key, size }: StoredObject): RuntimeError {
  return new RuntimeError('unavailable', `the store did not send the ${size} bytes of ${key}`, {
    op: 'code.pull',
    path: key,
    retryable: true,
  });
}
