import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { pack } from '../../base/parts/tar.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { CodeRef } from '../bots/botSpec.ts';

const RETRY_MS = 1_000;

/** A bot has code: that of a sandbox without an agent is an archive with nothing in it. Waits for a store that is away. */
export async function placeBox(
  open: () => Promise<ObjectStore>,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<CodeRef> {
  const archive = pack();
  archive.entry({ name: '.sandbox', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, '');
  archive.finalize();
  const bytes = await buffer(archive);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = `sandboxes/${sha256}.tar`;
  for (let told = false; ; told = true) {
    try {
      await place(await open(), file, bytes, sha256, signal);
      return { file, sha256 };
    } catch (error) {
      if (!isRuntimeError(error, 'unavailable')) throw error;
      if (!told) log.warn(`the store does not answer yet: ${asRuntimeError(error).message}`);
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

async function place(store: ObjectStore, file: string, bytes: Buffer, sha256: string, signal: AbortSignal) {
  try {
    await store.head(file, { signal });
  } catch (error) {
    if (!isRuntimeError(error, 'not-found')) throw error;
    await store.put(file, bytes, { sha256, signal });
  }
}
