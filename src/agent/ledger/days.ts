import { statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { KnownObject } from '../../bot/logs/ship/shipRecord.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { dayPath, type Shipped } from './shipped.ts';
import { isDay, usageKey } from './usageFolder.ts';

export interface Days {
  readonly store: ObjectStore;
  readonly bot: string;
  readonly dir: string;
}

/** The bot's days in the store that differ from those here, brought; what is then in `days/`. */
export async function bringDays(
  { store, bot, dir }: Days,
  known: Shipped['days'],
  signal: AbortSignal | undefined,
): Promise<Shipped['days']> {
  const days: Record<string, Shipped['days'][string]> = {};
  const prefix = usageKey(bot, '').replace(/[^/]*$/, '');
  for await (const { key, etag, size } of listed(store, prefix, signal)) {
    const day = key.slice(prefix.length).replace(/\.ndjson$/, '');
    if (!isDay(day)) continue;
    const before = known[day];
    days[day] =
      before?.etag === etag && before.size === size && isHere(dir, day, size)
        ? before
        : await bringDay({ store, bot, dir }, day, { key, etag, size }, signal);
  }
  return days;
}

/** Before anything was shipped there may be no bucket. */
async function* listed(store: ObjectStore, prefix: string, signal: AbortSignal | undefined) {
  try {
    yield* store.list(prefix, { signal });
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) throw error;
  }
}

function isHere(dir: string, day: string, size: number): boolean {
  return (statSync(dayPath(dir, day), { throwIfNoEntry: false })?.size ?? 0) >= size;
}

/** One day, whole. Readers go by the size that is on record: a longer file than that is no harm, a shorter one never takes its place. */
export async function bringDay(
  { store, dir }: Days,
  day: string,
  { key, etag, size }: KnownObject,
  signal: AbortSignal | undefined,
): Promise<Shipped['days'][string]> {
  makeFolders(join(dir, 'days'), 0o750);
  const path = dayPath(dir, day);
  // Before the body, which nobody would close where this fails.
  const file = await open(`${path}.new`, 'w', 0o640);
  try {
    const { body } = await store.get(key, { ifMatch: etag, signal });
    let received = 0;
    for await (const chunk of body) {
      received += (chunk as Buffer).length;
      if (received > size) break;
      await file.appendFile(chunk as Buffer);
    }
    if (received !== size) throw otherLength(key, received, size);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  return { etag, size };
}

/** Something between us and the store has answered in its place. */
function otherLength(key: string, received: number, size: number): RuntimeError {
  return new RuntimeError('unavailable', `the answer for ${key} has ${received} bytes instead of ${size}`, {
    op: 'usage.bring',
    path: key,
    retryable: true,
  });
}

/** Puts what was shipped after the first `size` bytes of a day. */
export async function extendDay(dir: string, day: string, size: number, tail: string): Promise<void> {
  makeFolders(join(dir, 'days'), 0o750);
  const file = await open(dayPath(dir, day), 'a', 0o640);
  try {
    await file.truncate(size);
    await file.appendFile(tail);
    await file.datasync();
  } finally {
    await file.close();
  }
}
