import { statfsSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Folders } from '../data/folders.ts';
import type { HeldDisks } from '../data/holdDisks.ts';
import { measureFolders } from '../data/measureFolders.ts';
import type { Journal } from '../journal/event.ts';
import type { DiskUse } from '../loop/diskUse.ts';
import type { Loop } from '../loop/loop.ts';

export interface WatchDisks {
  readonly folders: Folders;
  /** What lies on a disk of its own ends there, and needs no look at its files. */
  readonly disks?: HeldDisks | undefined;
  readonly diskUse: DiskUse;
  readonly loop: Loop;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

const EVERY_MS = 60_000;
/** With less of the disk free than this share, one bot may fill it before the next look. */
const SCARCE = 0.2;
const SCARCE_MS = 5_000;
const LONGEST_MS = 60_000;

/** Looks again and again what each bot takes of the disk, tells of those that take more than they may, and looks at them. */
export async function watchDisks(deps: WatchDisks, signal: AbortSignal): Promise<void> {
  const { folders, disks, diskUse, loop, journal, clock, log } = deps;
  let failed = false;
  while (!signal.aborted) {
    await clock.sleep(isScarce(folders.data) ? SCARCE_MS : EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const within = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
    try {
      const bots = shuffled(loop.bots(), deps.random).filter((bot) => disks?.used(bot) === undefined);
      const paths = bots.flatMap((bot) => [folders.bot(bot).state, folders.bot(bot).the0]);
      const sizes = await measureFolders(paths, within);
      for (const bot of bots) {
        const [state, the0] = [sizes.get(folders.bot(bot).state), sizes.get(folders.bot(bot).the0)];
        if (state !== undefined && the0 !== undefined) note(bot, state + the0);
      }
      failed = false;
    } catch (error) {
      if (!failed) log.warn(`what bots take of the disk is not known: ${(error as Error).message}`);
      failed = true;
    }
  }

  function note(bot: string, bytes: number): void {
    const { wanted } = loop.state(bot);
    const limit = wanted.type === 'present' ? wanted.spec.resources.diskBytes : undefined;
    const before = diskUse.over(bot, limit);
    diskUse.put(bot, bytes);
    const over = diskUse.over(bot, limit);
    if (over !== undefined && before === undefined)
      journal.write({ type: 'over-disk', bot, message: over, facts: { bytes } });
    // While it is over, the disk of the host may have become full.
    if (over !== undefined || before !== undefined) loop.wake(bot);
  }
}

function isScarce(folder: string): boolean {
  try {
    const { bavail, blocks } = statfsSync(folder);
    return bavail < blocks * SCARCE;
  } catch {
    return false;
  }
}

/** One with a million files is not always before the same others. */
function shuffled(bots: readonly string[], random: () => number): string[] {
  return bots
    .map((bot) => [random(), bot] as const)
    .sort(([a], [b]) => a - b)
    .map(([, bot]) => bot);
}
