import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SavedDisk, SavedEntry } from '../../../host/sandboxes/disk/disks.ts';
import { HttpError, notFound } from '../http/httpError.ts';
import type { Answer, Call } from '../http/route.ts';
import { absolutePath, isInWorkspace, WORKSPACE } from '../runtime/workspace.ts';

/** What may be asked of a disk without its sandbox, in the words of the API inside. */
export type DiskVerb = 'read' | 'list' | 'stat' | 'exists' | 'download' | 'download-dir';

/** A file in an answer is a string of JSON; longer ones are downloaded. */
const MOST_READ_BYTES = 32 * 2 ** 20;

/** `path` as clients have it: relative to the workspace, or below it. Throws 403 for what is elsewhere: only the workspace is saved. */
export function diskPath(path: string): string {
  const absolute = absolutePath(path);
  if (!isInWorkspace(absolute))
    throw new HttpError(403, 'FORBIDDEN', `${absolute} is not in ${WORKSPACE}: only that is saved`);
  return absolute.slice(WORKSPACE.length + 1);
}

/** Answers as the API inside does of a sandbox that runs. `name`: what `diskPath` gives. */
export async function diskAnswer(
  disk: SavedDisk,
  verb: DiskVerb,
  name: string,
  encoding: unknown,
  { response, signal, query }: Pick<Call, 'response' | 'signal' | 'query'>,
): Promise<Answer | undefined> {
  const entry = disk.entry(name);
  const ok = (data: object): Answer => ({
    body: { success: true, data: { ...data, snapshot: disk.snapshot.sequence } },
  });
  if (verb === 'exists') return ok({ exists: entry !== undefined });
  if (entry === undefined) throw notFound('file', posix.join(WORKSPACE, name));
  switch (verb) {
    case 'stat':
      return ok(viewOf(entry));
    case 'list': {
      const all = query.has('all') && query.get('all') !== 'false';
      const entries = disk.list(name).map(viewOf);
      return ok({ entries: all ? entries : entries.filter((each) => !each.name.startsWith('.')) });
    }
    case 'read': {
      if (entry.size > MOST_READ_BYTES)
        throw new HttpError(413, 'FILE_TOO_LARGE', `${name} has ${entry.size} bytes: download it`, {
          limit: MOST_READ_BYTES,
        });
      const pieces: Buffer[] = [];
      for await (const piece of disk.read(name, signal)) pieces.push(Buffer.from(piece));
      const bytes = Buffer.concat(pieces);
      const isBinary = encoding !== 'base64' && !isUtf8(bytes);
      return ok({
        path: posix.join(WORKSPACE, name),
        content: bytes.toString(encoding === 'base64' ? 'base64' : 'utf8'),
        encoding: encoding === 'base64' ? 'base64' : 'utf8',
        size: bytes.length,
        ...(isBinary && { isBinary }),
      });
    }
    case 'download': {
      if (entry.type !== 'file')
        throw new HttpError(409, 'INVALID_STATE', `${name} is a ${entry.type}, not a file`);
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': entry.size });
      await pipeline(disk.read(name, signal), response);
      return undefined;
    }
    case 'download-dir': {
      if (entry.type !== 'folder')
        throw new HttpError(409, 'INVALID_STATE', `${name} is a ${entry.type}, not a folder`);
      response.writeHead(200, { 'content-type': 'application/gzip' });
      await disk.archive(name, response, signal);
      response.end();
      return undefined;
    }
  }
}

/** As the API inside shows one, but for whose it is: a disk in the store does not say. */
function viewOf({ path, type, mode, size, modifiedAt, target }: SavedEntry) {
  const at = new Date(modifiedAt).toISOString();
  return {
    name: posix.basename(path) || posix.basename(WORKSPACE),
    path: posix.join(WORKSPACE, path),
    size,
    isDir: type === 'folder',
    isFile: type === 'file',
    isSymlink: type === 'link',
    permissions: mode,
    owner: '',
    group: '',
    modTime: at,
    accessTime: at,
    ...(target === undefined ? {} : { target }),
  };
}
