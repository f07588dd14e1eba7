import { rmSync } from 'node:fs';
import { diskError } from './diskError.ts';
import { download } from './download.ts';
import type { Downloaded } from './downloaded.ts';
import { placeTree } from './placeTree.ts';
import type { PulledCache } from './pulledCache.ts';
import type { PullCodeOptions, PulledCode } from './pulledCode.ts';
import { refused } from './refused.ts';
import { openStage, type Stage } from './stage.ts';
import { type UnpackedTree, unpackTree } from './unpackTree.ts';

/**
 * The room of the code: from an untrusted archive to the files in `CODE_PATH`.
 *
 *   1. `openStage`     an empty folder inside the code path, closed to everybody else
 *   2. `codeCache`     has a host's cache the archive unpacked already? Then its files are copied into the stage
 *   3. `download`      else the archive comes from the store, hashed as it arrives, up to a limit
 *   4. `unpackTree`    zip or tar by its first bytes; each entry is checked (`entryPath`, `treeWriter`, `checkSymlinks`); large
 *                      zips while they arrive (`arrivingArchive`), by two threads (`twoThreads`)
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
  const archive = await download({ ...options, file });
  try {
    const { sha256, files, bytes, entries } = await unpackChecked(archive, stage, options);
    const archiveBytes = archive.source.size;
    await cache?.add(stage, { sha256, etag: archive.etag, entries, archiveBytes });
    // Its end takes as long as a hundred files, and it has nothing left to do.
    void archive.close();
    return { files, bytes, sha256, archiveBytes, cached: false };
  } catch (error) {
    await archive.close();
    throw error;
  } finally {
    rmSync(file, { force: true });
  }
}

async function unpackChecked(
  { source, sha256 }: Downloaded,
  stage: Stage,
  options: PullCodeOptions,
): Promise<UnpackedTree & { readonly sha256: string }> {
  const sum = checkedSum(sha256, options.sha256);
  sum.catch(() => undefined);
  if (!source.arrived) await sum;
  const unpacked = await unpackTree(source, stage.tree, options).catch(async (error: unknown) => {
    // That it is another archive is told before what is wrong with that one.
    await sum;
    throw error;
  });
  return { ...unpacked, sha256: await sum };
}

async function checkedSum(sum: Promise<string>, wanted: string | undefined): Promise<string> {
  const sha256 = await sum;
  if (wanted === undefined || wanted === sha256) return sha256;
  throw refused(`it has the SHA-256 ${sha256}, not ${wanted}`, {
    hint: 'CODE_SHA256 is the checksum of another archive than CODE_FILE: one of the two is out of date, or the archive changed.',
  });
}

async function openCache(options: PullCodeOptions, directory: string): Promise<PulledCache | undefined> {
  const { openPulledCache } = await import('./pulledCache.ts');
  return openPulledCache(options, directory);
}
