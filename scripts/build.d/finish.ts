import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { replaceNodeCaches } from './replaceNodeCaches.ts';

/** What a cache of code may take more than the one that plain Node makes of the same part. */
const ROOM = 1.2;
/** That of a life of the query server holds what that runs. */
const WARM_ROOM = 4;

/** Room for a cache that only the executable itself can make: an asset that is overwritten once it is there. */
export function reserve(name: string, bytes: number): Buffer {
  const room = Buffer.alloc(Math.ceil(bytes * (name === 'query' ? WARM_ROOM : ROOM)) + 1024);
  // Its length is 0, so it is none. What follows is found again, and only once.
  room.write(randomUUID(), 4, 'latin1');
  return room;
}

/**
 * Writes into an executable that starts from a snapshot what needs that snapshot: each part's cache of code into the room that was left for
 * it, by name. Of Node's caches of its own modules V8 would take none, and every process would copy them at its start, 4 MB in 4 ms: caches
 * for this snapshot take their place, of the few modules that may be loaded later. `env`: for the lives that are led. Throws where
 * something is not where it should be, or V8 does not take a cache.
 */
export async function finish(
  file: string,
  rooms: ReadonlyMap<string, Buffer>,
  work: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const folder = join(work, 'caches');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const later = (await compiledLater(file)).map(({ id }) => id);
  await promisify(execFile)(file, ['cache-parts', folder], { timeout: 60_000, env });
  const bytes = readFileSync(file);
  for (const [name, room] of rooms) {
    const cache = readFileSync(join(folder, `${name}.cache`));
    if (cache.length + 4 > room.length) throw new Error(`no room for the code cache of ${name}`);
    const at = bytes.indexOf(room.subarray(0, 40));
    if (at < 0) throw new Error(`the executable does not hold ${name}.cache`);
    bytes.writeUInt32LE(cache.length, at);
    cache.copy(bytes, at + 4);
  }
  const caches = JSON.parse(readFileSync(join(folder, 'node.json'), 'utf8')) as Record<string, string>;
  const ofNode = later.flatMap((id) =>
    caches[id] ? [[id, Buffer.from(caches[id], 'base64')] as const] : [],
  );
  replaceNodeCaches(bytes, new Map(ofNode));
  writeFileSync(file, bytes);
  const { length } = (await compiledLater(file)).filter(({ isCached }) => isCached);
  if (length !== ofNode.length)
    throw new Error(`of ${ofNode.length} caches of Node’s modules V8 takes ${length}`);
}

/** Which of Node's modules are compiled by what is loaded after a start, and whether V8 has taken a cache of each. */
async function compiledLater(file: string): Promise<{ readonly id: string; readonly isCached: boolean }[]> {
  const { stderr } = await promisify(execFile)(file, ['load-later'], {
    timeout: 60_000,
    env: { NODE_DEBUG_NATIVE: 'CODE_CACHE' },
  });
  const ids = new Set([...stderr.matchAll(/^Compiling (\S+) with/gm)].map(([, id = '']) => id));
  return [...ids].map((id) => ({
    id,
    isCached: stderr.includes(`Code cache of ${id} (BufferNotOwned) is accepted`),
  }));
}
