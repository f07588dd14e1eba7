import { Readable } from 'node:stream';
import { RuntimeError } from '../../base/errors.ts';
import { mappedBody } from '../mappedBody.ts';
import type { GetOptions, StoredObject } from '../objectStore.ts';
import { checkCondition } from './fileCommit.ts';
import { notFound, readFailure } from './fileErrors.ts';
import { infoOf, openObject } from './fileObject.ts';

/** The object as it stood when it was opened: a later write makes another file. */
export async function readFileObject(
  path: string,
  key: string,
  { range, ifMatch, signal }: GetOptions,
): Promise<StoredObject> {
  const object = await openObject(path);
  if (!object) throw notFound('store.get', path);
  const { handle } = object;
  const info = infoOf(key, object.stats);
  try {
    checkCondition(key, info, { ifMatch });
    const { start, end } = range ?? { start: 0, end: info.size };
    if (range && start >= info.size) throw behindEnd(key, start);
    if (start < end) {
      // `end` of a read stream is inclusive.
      const source = handle.createReadStream({ start, end: end - 1 });
      const body = mappedBody(source, (error) => readFailure(error, 'store.get', path), signal);
      return { ...info, body };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return { ...info, body: Readable.from([]) };
}

function behindEnd(key: string, start: number): RuntimeError {
  return new RuntimeError('damaged', `${key} ends before byte ${start}`, { op: 'store.get', path: key });
}
