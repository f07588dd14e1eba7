import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { RuntimeError } from '../../base/errors.ts';
import { pack } from '../../base/parts/tar.ts';

/** What belongs to nobody's code. */
const ignored = new Set(['.runtime', '.git', '__pycache__', '.venv', 'venv', '.DS_Store']);
const MAX_BYTES = 256 * 2 ** 20;

/** What a folder of code looks like from outside: equal texts, equal code, without reading a file. */
export function folderFingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const { path, entry } of entries(folder)) {
    // Of a link, the link itself: that is what is packed, and where it leads there may be nothing, or itself again.
    const { mtimeMs, size, ino, mode } = lstatSync(join(folder, path), { throwIfNoEntry: false }) ?? {};
    hash.update(JSON.stringify([path, entry.isSymbolicLink(), mtimeMs, size, ino, mode]));
  }
  return hash.digest('hex');
}

/**
 * A tar archive of the folder: the same bytes for the same code. `without`: a path in it that is no code. `damaged` when it is too
 * large.
 */
export async function packFolder(
  folder: string,
  without?: string,
): Promise<{ readonly bytes: Buffer; readonly sha256: string }> {
  const archive = pack();
  let size = 0;
  let isEmpty = true;
  for (const { path, entry } of entries(folder)) {
    if (path === without) continue;
    isEmpty = false;
    const common = { name: path, mtime: new Date(0), uid: 0, gid: 0 };
    const absolute = join(folder, path);
    if (entry.isDirectory()) archive.entry({ ...common, type: 'directory', mode: 0o755 });
    else if (entry.isSymbolicLink())
      archive.entry({ ...common, type: 'symlink', linkname: readlinkSync(absolute), mode: 0o777 });
    else if (entry.isFile()) {
      const stat = statSync(absolute);
      const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755;
      size += stat.size;
      if (size > MAX_BYTES)
        throw new RuntimeError('damaged', `${folder} holds more than ${MAX_BYTES} bytes of code`, {
          path: folder,
          hint: 'Upload an archive yourself and name it as code.file.',
        });
      archive.entry({ ...common, mode }, readFileSync(absolute));
    }
  }
  // Without an entry nothing says that it is an archive: a bot that is one command has no other file.
  if (isEmpty) archive.entry({ name: '.empty', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, '');
  archive.finalize();
  const bytes = await buffer(archive);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** In one order, whatever the file system's is. */
function* entries(folder: string, prefix = ''): Generator<{ path: string; entry: Dirent }> {
  const listed = readdirSync(join(folder, prefix), { withFileTypes: true });
  for (const entry of listed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (ignored.has(entry.name)) continue;
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    yield { path, entry };
    if (entry.isDirectory()) yield* entries(folder, path);
  }
}
