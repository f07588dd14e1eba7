import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Folders } from '../data/folders.ts';
import { shrinkDisk } from '../data/shrinkDisk.ts';

/** Whoever has put it there has long ended by then: no two look at the same disk. */
const LEFT_FOR_MS = 600_000;
const DISK = 'disk.img';

/**
 * Shrinks the disks in the trash that still have all of their room, because whoever put them there was killed or failed. Each once:
 * resolves with those that have been tried, for the next call.
 */
export async function shrinkTrash(
  { trash }: Folders,
  tried: ReadonlySet<string>,
  now: number,
  log: Logger,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  for (const name of readdirSync(trash)) {
    const path = join(trash, name);
    if (!tried.has(name) && now - statSync(path).ctimeMs < LEFT_FOR_MS) continue;
    seen.add(name);
    if (tried.has(name)) continue;
    await shrinkDisk(name.endsWith(DISK) ? path : join(path, DISK)).catch((error) =>
      log.warn(`the disk in ${path} keeps all of its room: ${asRuntimeError(error).message}`),
    );
  }
  return seen;
}
