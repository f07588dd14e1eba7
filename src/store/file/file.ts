import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../base/clock.ts';
import { checkKey } from '../checkKey.ts';
import { measuredBody } from '../measuredBody.ts';
import type { ListOptions, ObjectInfo, ObjectStore, PutOptions } from '../objectStore.ts';
import { sha256Of } from '../sha256.ts';
import { openBucketLock } from './bucketLock.ts';
import { checkCondition, commitFile, linkObject, removeFile, syncDirectories } from './fileCommit.ts';
import { notFound, readFailure, writeFailure } from './fileErrors.ts';
import { fileLayout } from './fileLayout.ts';
import { infoOf, lstatOrNothing } from './fileObject.ts';
import { collectAbandoned, writeTemp } from './fileTemp.ts';
import { listFiles } from './listFiles.ts';
import { readFileObject } from './readFileObject.ts';
import { compareUtf8 } from './utf8Order.ts';

export interface FileStoreOptions {
  readonly clock?: Clock;
  /** Whether a missing bucket is made on the first write; default true. */
  readonly createBucket?: boolean;
}

/**
 * A bucket in a directory: the embedded store. An object is a file with the key's name, so people can look at it and
 * put code archives there. Everything is on the disk before a rename shows it.
 */
export function openFileStore(dir: string, bucket: string, options: FileStoreOptions = {}): ObjectStore {
  const { clock = systemClock, createBucket = true } = options;
  const layout = fileLayout(dir, bucket);
  const lock = openBucketLock(layout.own, clock);
  let collected: Promise<void> | undefined;

  const reading = async <T>(
    op: string,
    key: string,
    signal: AbortSignal | undefined,
    run: (path: string) => T | Promise<T>,
  ) => {
    signal?.throwIfAborted();
    checkKey(key, op);
    const path = layout.pathOf(key);
    try {
      layout.checkInside(path);
      return await run(path);
    } catch (error) {
      throw readFailure(error, op, path);
    }
  };

  const writing = async <T>(
    op: string,
    key: string,
    signal: AbortSignal | undefined,
    run: (path: string) => Promise<T>,
  ) => {
    signal?.throwIfAborted();
    checkKey(key, op);
    const path = layout.pathOf(key);
    try {
      collected ??= collectAbandoned(layout.temp, clock.now());
      await collected;
      return await run(path);
    } catch (error) {
      signal?.throwIfAborted();
      throw writeFailure(error, op, path);
    }
  };

  const publish = async (key: string, temp: string, condition: PutOptions) => {
    const path = layout.pathOf(key);
    const { checkInside } = layout;
    const commit = () => commitFile({ key, path, temp, condition, now: clock.now(), checkInside });
    const { etag, created } = await lock.run(commit, condition.signal);
    await syncDirectories(path, created);
    return { etag };
  };

  return {
    name: `file bucket "${bucket}" in ${dir}`,

    get: (key, options = {}) =>
      reading('store.get', key, options.signal, (path) => readFileObject(path, key, options)),

    head: (key, { checksum, signal } = {}) =>
      reading('store.head', key, signal, async (path) => {
        const stats = lstatOrNothing(path);
        if (!stats?.isFile()) throw notFound('store.head', path);
        const below = typeof checksum === 'object' ? checksum.below : Number.POSITIVE_INFINITY;
        if (!checksum || stats.size >= below) return infoOf(key, stats);
        // Of what is open: another object may take its place meanwhile.
        const { body, ...info } = await readFileObject(path, key, { signal });
        return { ...info, sha256: await sha256Of({ size: info.size, open: () => body }, { key, signal }) };
      }),

    put: (key, body, options = {}) =>
      writing('store.put', key, options.signal, async () => {
        if (!createBucket && !existsSync(layout.bucket)) throw notFound('store.put', layout.bucket);
        const { sha256, signal } = options;
        await using temp = await writeTemp(layout.temp, measuredBody(body, { key, sha256, signal }));
        return await publish(key, temp.path, options);
      }),

    append: (key, base, tail, { signal } = {}) =>
      writing('store.append', key, signal, async (path) => {
        const condition = { ifMatch: base.etag, signal };
        layout.checkInside(path);
        const current = lstatOrNothing(path);
        checkCondition(key, current?.isFile() ? infoOf(key, current) : undefined, condition);
        await using temp = await writeTemp(layout.temp, measuredBody(tail, { key, signal }), path);
        return await publish(key, temp.path, condition);
      }),

    copy: (from, to, { signal } = {}) =>
      writing('store.copy', to, signal, async (path) => {
        checkKey(from, 'store.copy');
        const original = layout.pathOf(from);
        layout.checkInside(original);
        if (!lstatOrNothing(original)?.isFile()) throw notFound('store.copy', original);
        const { checkInside } = layout;
        const linked = await lock.run(() => linkObject(original, { path, checkInside }), signal);
        if (linked !== undefined) return await syncDirectories(path, linked.created);
        await using temp = await writeTemp(
          layout.temp,
          measuredBody(Buffer.alloc(0), { key: to, signal }),
          original,
        );
        await publish(to, temp.path, { signal });
      }),

    async *list(prefix, { signal, startAfter }: ListOptions = {}): AsyncGenerator<ObjectInfo> {
      signal?.throwIfAborted();
      // Only whole parts of the prefix are a directory: `bots/a` has to find `bots/ab` too.
      const at = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      if (at !== '') checkKey(at.slice(0, -1), 'store.list');
      const path = layout.pathOf(at.slice(0, -1));
      try {
        if (!existsSync(layout.bucket)) throw notFound('store.list', layout.bucket);
        layout.checkInside(join(path, 'object'));
        if (!lstatOrNothing(path)?.isDirectory()) return;
        for (const info of listFiles(path, at, prefix)) {
          signal?.throwIfAborted();
          if (startAfter === undefined || compareUtf8(info.key, startAfter) > 0) yield info;
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw readFailure(error, 'store.list', path);
      }
    },

    delete: (key, { signal } = {}) =>
      writing('store.delete', key, signal, async (path) => {
        layout.checkInside(path);
        if (!lstatOrNothing(path)?.isFile()) return;
        await lock.run(() => {
          if (!lstatOrNothing(path)?.isFile()) return;
          removeFile(path, layout.bucket);
        }, signal);
      }),

    async now({ signal } = {}) {
      signal?.throwIfAborted();
      return clock.now();
    },

    close: () => lock.close(),
  };
}
