import { isRuntimeError } from '../../src/base/errors.ts';
import { openPlace, type Place } from './place.ts';

/** A process that tries each conditional write that it is told to, and tells what came of it. */
export type Round = { readonly key: string; readonly body: string; readonly ifMatch: string | undefined };
export type Outcome = { readonly etag: string } | { readonly lost: true } | { readonly error: string };

const store = openPlace(JSON.parse(process.argv[2] ?? '') as Place);

process.on('message', async ({ key, body, ifMatch }: Round) => {
  const condition = ifMatch === undefined ? { ifNoneMatch: '*' as const } : { ifMatch };
  const outcome: Outcome = await store.put(key, Buffer.from(body), condition).catch((error: unknown) => {
    // Where the store could not decide, nobody has won by this write.
    return isRuntimeError(error, 'conflict') ? { lost: true as const } : { error: String(error) };
  });
  process.send?.(outcome);
});
process.send?.({ lost: true });
