import { linkSync, renameSync, rmdirSync, statSync, unlinkSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { ObjectInfo, PutOptions } from '../objectStore.ts';
import { infoOf, lstatOrNothing } from './fileObject.ts';

/** Larger than the coarsest time stamps of any file system in use (FAT: 2 s). Milliseconds. */
const COARSE_MS = 2000;

export interface Commit {
  readonly key: string;
  /** Where the object is to be. */
  readonly path: string;
  /** The finished temporary file. */
  readonly temp: string;
  readonly condition: Pick<PutOptions, 'ifMatch' | 'ifNoneMatch'>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Throws unless `path` lies where it seems to. */
  checkInside(path: string): void;
}

/**
 * Makes a temporary file the object, if the condition holds. Nothing in here waits: it runs under the bucket's lock.
 * `created`: the topmost directory that had to be made.
 */
export function commitFile(commit: Commit): { readonly etag: string; readonly created: string | undefined } {
  const { key, path, temp } = commit;
  commit.checkInside(path);
  const created = makeFolders(dirname(path));
  const current = lstatOrNothing(path);
  checkCondition(key, current?.isFile() ? infoOf(key, current) : undefined, commit.condition);
  stampAfter(temp, commit.now, current?.mtimeMs);
  const { etag } = infoOf(key, statSync(temp, { bigint: true }));
  renameSync(temp, path);
  return { etag, created };
}

/** Where a second name cannot be had: other file systems, too many names, files of others. */
const NO_LINK = ['EEXIST', 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Gives an object a second name instead of a copy: no write changes a file in place, so neither sees what becomes of the other. Its time
 * stays, being its tag. Runs under the bucket's lock. Undefined where it has to be copied: over another object, too.
 */
export function linkObject(
  original: string,
  { path, checkInside }: Pick<Commit, 'path' | 'checkInside'>,
): { readonly created: string | undefined } | undefined {
  checkInside(path);
  const created = makeFolders(dirname(path));
  try {
    if (lstatOrNothing(original)?.ino !== lstatOrNothing(path)?.ino) linkSync(original, path);
    return { created };
  } catch (error) {
    if (NO_LINK.includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Throws `conflict`. */
export function checkCondition(
  key: string,
  current: ObjectInfo | undefined,
  { ifMatch, ifNoneMatch }: Pick<PutOptions, 'ifMatch' | 'ifNoneMatch'>,
): void {
  const holds = ifMatch === undefined || current?.etag === ifMatch;
  if (holds && !(ifNoneMatch && current)) return;
  throw new RuntimeError('conflict', `${key} has been written by somebody else`, { path: key });
}

/** Removes the object and the directories that only it kept. */
export function removeFile(path: string, root: string): void {
  unlinkSync(path);
  try {
    for (let dir = dirname(path); dir !== root; dir = dirname(dir)) rmdirSync(dir);
  } catch {
    // Not empty: the next object needs it.
  }
}

/** Makes a rename last through a power cut, and the directories that were made for it. */
export async function syncDirectories(path: string, created: string | undefined): Promise<void> {
  const last = created === undefined ? dirname(path) : dirname(created);
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const handle = await open(dir);
    await handle.sync().finally(() => handle.close());
    if (dir === last) return;
  }
}

/** Later than `previous`, even where the clock went back or time stamps are coarse. */
function stampAfter(path: string, now: number, previous: bigint | undefined): void {
  const floor = previous === undefined ? 0 : Number(previous) + 1;
  setModified(path, Math.max(now, floor));
  if (previous === undefined || statSync(path, { bigint: true }).mtimeMs > previous) return;
  setModified(path, floor + COARSE_MS);
}

/** Half a millisecond more: seconds as a floating-point number must not fall into the millisecond before. */
function setModified(path: string, ms: number): void {
  const seconds = (ms + 0.5) / 1000;
  utimesSync(path, seconds, seconds);
}
