import { rmSync } from 'node:fs';
import { diskError } from './diskError.ts';
import { download } from './download.ts';
import { placeTree } from './placeTree.ts';
import type { PulledCache } from './pulledCache.ts';
import type { PullCodeOptions, PulledCode } from './pulledCode.ts';
import { refused } from './refused.ts';
import { openStage, type Stage } from './stage.ts';
import { unpackTree } from './unpackTree.ts';

/**
 * The room of the code: from an untrusted archive to the files in `CODE_PATH`.
 *
 *   1. `openStage`     an empty folder inside the code path, closed to everybody else
 *   2. `codeCache`     has a host's cache the archive unpacked already? Then its files are copied into the stage
 *   3. `download`      else the archive comes from the store, hashed as it arrives, up to a limit
 *   4. `unpackTree`    zip or tar by its first bytes; each entry is checked (`entryPath`, `treeWriter`, `checkSymlinks`); large
 *                      zips by two threads (`twoThreads`)
 *   5. `placeTree`     the stage becomes the code: what an earlier unpack left goes, what is foreign stays
 *   6. `codeMarker`    says which archive that was, for other containers of the pod
 *
 * Until step 5 nothing outside the stage has changed, so a start that is killed leaves the old code or the new.
 */

/**
 * Brings the bot's code from the store to the code path, whole or not at all.
 *
 * What already lies there is never taken for the code, not even in a restarted container: the bot could write to it.
 * Errors: `not-found`, `damaged` (refused archive), `unavailable` (store, or a full disk), `denied`, `config` (the code
 * path cannot be written).
 */
export async function pullCode(options: PullCodeOptions): Promise<PulledCode> {
  try {
    const cache = options.cache === undefined ? undefined : await openCache(options, options.cache);
    const stage = openStage(options.into);
    try {
      const pulled = (await cache?.restore(stage)) ?? (await pullFromStore(options, stage, cache));
      options.signal?.throwIfAborted();
      placeTree(stage, { codePath: options.into, owner: options.owner, sha256: pulled.sha256 });
      return pulled;
    } finally {
      stage.close();
    }
  } catch (error) {
    throw diskError(error, options.into);
  }
}

async function pullFromStore(
  options: PullCodeOptions,
  stage: Stage,
  cache: PulledCache | undefined,
): Promise<PulledCode> {
  const file = `${stage.path}/archive`;
  const { source, sha256, etag, close } = await download({ ...options, file });
  try {
    if (options.sha256 !== undefined && options.sha256 !== sha256) {
      throw refused(`it has the SHA-256 ${sha256}, not ${options.sha256}`, {
        hint: 'CODE_SHA256 is the checksum of another archive than CODE_FILE: one of the two is out of date, or the archive changed.',
      });
    }
    const { files, bytes, entries } = await unpackTree(source, stage.tree, options);
    await cache?.add(stage, { sha256, etag, entries, archiveBytes: source.size });
    return { files, bytes, sha256, archiveBytes: source.size, cached: false };
  } finally {
    close();
    rmSync(file, { force: true });
  }
}

async function openCache(options: PullCodeOptions, directory: string): Promise<PulledCache | undefined> {
  const { openPulledCache } = await import('./pulledCache.ts');
  return openPulledCache(options, directory);
}
