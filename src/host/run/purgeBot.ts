import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRuntimeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { Folders } from '../data/folders.ts';

export interface PurgeBot {
  readonly folders: Folders;
  readonly state: () => Promise<ObjectStore>;
  readonly logs: () => Promise<ObjectStore>;
}

/** Takes away what a bot that is gone for good has left: its objects in the store, and what of it lies in the trash. Safe to repeat. */
export async function purgeBot(
  { folders, state, logs }: PurgeBot,
  bot: string,
  signal: AbortSignal,
): Promise<void> {
  await empty(await state(), `${bot}/`, signal);
  await empty(await logs(), `logs/${bot}/`, signal);
  const own = readdirSync(folders.trash).filter((name) => name.replace(/^[0-9a-z]+-/, '') === bot);
  for (const name of own) await rm(join(folders.trash, name), { recursive: true, force: true });
}

async function empty(store: ObjectStore, prefix: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const { key } of store.list(prefix, { signal })) await store.delete(key, { signal });
  } catch (error) {
    // A bucket that nobody has written to yet.
    if (!isRuntimeError(error, 'not-found')) throw error;
  }
}
