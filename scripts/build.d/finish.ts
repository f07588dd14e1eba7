import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keepNodeCaches } from './keepNodeCaches.ts';

/** Builtins that the snapshot cannot hold, or that few starts load: their code stays in the executable, with what they load. */
const LATER = ['http', 'https', 'crypto', 'zlib', 'worker_threads', 'sqlite', 'fs/promises', 'readline'];

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
 * it, by name. Removes Node's caches of its own modules that are never loaded or are in the snapshot: every process would
 * copy them at its start, 4 MB in 4 ms. `env`: for the lives that are led. Throws where something is not where it should be.
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
  const loaded = new Set(JSON.parse(readFileSync(join(folder, 'loaded.json'), 'utf8')) as string[]);
  keepNodeCaches(
    bytes,
    new Set(
      loadedLater()
        .filter((entry) => !loaded.has(entry))
        .map(idOf),
    ),
  );
  writeFileSync(file, bytes);
}

const idOf = (entry: string): string => entry.replace(/^NativeModule /, '');

function loadedLater(): string[] {
  const list = `for (const name of ${JSON.stringify(LATER)}) process.getBuiltinModule('node:' + name); console.log(JSON.stringify(process.moduleLoadList))`;
  const text = execFileSync(process.execPath, ['-e', list], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return (JSON.parse(text) as string[]).filter((entry) => entry.startsWith('NativeModule '));
}
