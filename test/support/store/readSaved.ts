import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { observe } from '../../../src/bot/state/claim/claim.ts';
import { restore } from '../../../src/bot/state/restore/restore.ts';
import type { MinioAddress } from './minio.ts';
import { openStateStore } from './stateStore.ts';

/** A file of a bot's saved state, read without taking the bot over; what went wrong, where it cannot be. */
export async function readSaved(minio: MinioAddress, botId: string, file: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'saved-'));
  try {
    using stores = await openStateStore(minio);
    const { signal } = new AbortController();
    const context = { store: stores.store, bot: botId, clock: systemClock, warn: () => {} };
    const claim = await observe(context, { signal });
    await restore(context, claim, {
      dir,
      owner: undefined,
      maxBytes: 2 ** 40,
      maxFileBytes: undefined,
      signal,
    });
    return await readFile(join(dir, file), 'utf8');
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
