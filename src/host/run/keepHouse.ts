import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Folders } from '../data/folders.ts';
import type { CodeCache } from '../instances/codeCache.ts';
import type { Instances } from '../instances/instances.ts';
import type { Loop } from '../loop/loop.ts';
import { shrinkTrash } from './shrinkTrash.ts';

export interface KeepHouse {
  readonly folders: Folders;
  readonly codeCache: CodeCache;
  readonly instances: Instances;
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
}

const EVERY_MS = 3_600_000;
const TRASH_KEPT_MS = 7 * 24 * 3_600_000;

/** Once an hour: removes code that no bot needs, and folders of bots that have been gone for a week; of others', what their disks do not use. */
export async function keepHouse(deps: KeepHouse, signal: AbortSignal): Promise<void> {
  const { folders, clock, log } = deps;
  let tried: ReadonlySet<string> = new Set();
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      emptyTrash(folders, clock.now());
      tried = await shrinkTrash(folders, tried, clock.now(), log);
      const needed = neededCode(deps);
      if (needed !== undefined) deps.codeCache.prune(needed);
    } catch (error) {
      log.warn(`the data folder could not be tidied: ${(error as Error).message}`);
    }
  }
}

function emptyTrash({ trash }: Folders, now: number): void {
  for (const name of readdirSync(trash)) {
    const path = join(trash, name);
    if (now - statSync(path).ctimeMs > TRASH_KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Undefined while anything is unknown: then nothing is removed. */
function neededCode({ loop, codeCache }: KeepHouse): ReadonlySet<string> | undefined {
  const needed = new Set<string>();
  for (const bot of loop.bots()) {
    const { wanted, recorded, instances } = loop.state(bot);
    if (instances === undefined || wanted.type === 'unknown') return undefined;
    const specs = [
      recorded.current?.spec,
      recorded.previous?.spec,
      wanted.type === 'present' ? wanted.spec : undefined,
    ];
    for (const spec of specs) {
      const sha256 = spec && codeCache.known(spec.name, spec.code);
      if (sha256 !== undefined) needed.add(sha256);
    }
  }
  return needed;
}
