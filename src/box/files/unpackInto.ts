import { createReadStream } from 'node:fs';
import { chmod, constants, copyFile, lstat, mkdir, open, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { makeFolders } from '../../base/makeFolders.ts';
import type { TarEntry } from '../../base/tar/readTar.ts';
import { BoxError } from '../http/boxError.ts';
import { openFile } from './openFile.ts';

const MOST_ENTRIES = 250_000;

/**
 * Unpacks a tar, or a tar.gz, into a folder, which is made where there is none. What has the same name there is replaced, folders are
 * shared. Nothing gets out of the folder: names stay below it, symlinks come last, and none that is there is walked through. Throws `BoxError` 400.
 */
export async function unpackInto(archive: string, folder: string): Promise<{ entries: number }> {
  makeFolders(folder);
  const { readTar, TarError } = await import('../../base/parts/tarReader.ts');
  const root = Buffer.from(folder).toString('latin1');
  const links: { path: string; target: Buffer }[] = [];
  let entries = 0;
  try {
    for await (const entry of readTar(await plain(archive))) {
      entries += 1;
      if (entries > MOST_ENTRIES) throw refused(`it holds more than ${MOST_ENTRIES} entries`);
      const path = placeOf(root, entry.name);
      if (entry.type === 'symlink') links.push({ path, target: entry.linkname });
      else await place(root, path, entry);
    }
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '');
    if (code.startsWith('Z_')) throw refused('it cannot be decompressed');
    if (error instanceof TarError) throw refused(error.message);
    throw error;
  }
  for (const { path, target } of links) {
    await makeParent(root, path);
    await clear(path);
    await symlink(target, system(path));
  }
  return { entries };
}

/** Names are bytes, of which not all are text: below, a path has a character for each, and this is what the system takes. */
const system = (path: string) => Buffer.from(path, 'latin1');
const shown = (path: string) => JSON.stringify(system(path).toString());

const refused = (why: string) =>
  new BoxError(400, 'VALIDATION_ERROR', `the archive is refused: ${why}`, { fields: { archive: why } });

async function plain(archive: string): Promise<Readable> {
  const { file } = await openFile(archive);
  const magic = Buffer.alloc(2);
  await file.read(magic, 0, 2, 0).finally(() => file.close());
  const bytes = createReadStream(archive);
  if (magic.toString('hex') !== '1f8b') return bytes;
  const unpacked = createGunzip();
  // Its errors come out of what reads it.
  pipeline(bytes, unpacked).catch(() => undefined);
  return unpacked;
}

/** Where an entry belongs: below the folder, or it is refused. */
function placeOf(folder: string, bytes: Buffer): string {
  const name = bytes.toString('latin1');
  const words = name.split('/').filter((word) => word !== '' && word !== '.');
  if (name.startsWith('/') || words.includes('..') || name.includes('\0')) {
    throw refused(`${shown(name)} leads out of it`);
  }
  return join(folder, ...words);
}

async function place(folder: string, path: string, entry: TarEntry): Promise<void> {
  switch (entry.type) {
    case 'directory': {
      if (path === folder) return;
      await makeParent(folder, path);
      await makeFolder(path);
      await chmod(system(path), (entry.mode & 0o777) | 0o700);
      return;
    }
    case 'file': {
      await makeParent(folder, path);
      await clear(path);
      const file = await open(system(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        for await (const { at, bytes } of entry.pieces) {
          for (let done = 0; done < bytes.length; ) {
            done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
          }
        }
        // Holes at its end.
        await file.truncate(entry.size);
        await file.chmod(entry.mode & 0o777);
      } finally {
        await file.close();
      }
      await utimes(system(path), entry.mtime, entry.mtime);
      return;
    }
    case 'link': {
      const from = placeOf(folder, entry.linkname);
      await makeParent(folder, from);
      if (from === path) return;
      if (!(await lstat(system(from)).catch(() => undefined))?.isFile())
        throw refused('a hard link names no file before it');
      await makeParent(folder, path);
      await clear(path);
      await copyFile(system(from), system(path), constants.COPYFILE_EXCL);
      return;
    }
    default:
      throw refused('it holds a device or a pipe');
  }
}

/** All folders above it, down from ours, each a real one. */
async function makeParent(folder: string, path: string): Promise<void> {
  const parent = dirname(path);
  if (path === folder || parent === folder) return;
  await makeParent(folder, parent);
  await makeFolder(parent);
}

async function makeFolder(path: string): Promise<void> {
  const found = await lstat(system(path)).catch(() => undefined);
  if (!found) await mkdir(system(path));
  else if (!found.isDirectory()) throw refused(`${shown(path)} is no folder`);
}

/** For what takes its place; a folder stays. */
async function clear(path: string): Promise<void> {
  const found = await lstat(system(path)).catch(() => undefined);
  if (found?.isDirectory()) throw refused(`${shown(path)} is a folder`);
  await rm(system(path), { force: true });
}
