import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { StateContext } from '../../bot/state/format/context.ts';
import { publishAgain } from '../../bot/state/history/publishAgain.ts';
import { findSnapshot, requireHead } from '../../bot/state/read/snapshots.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { writeSpec } from '../bots/writeSpec.ts';
import type { Folders } from '../data/folders.ts';
import type { HeldDisks } from '../data/holdDisks.ts';
import type { Users } from '../data/openUsers.ts';
import { shrinkDisk } from '../data/shrinkDisk.ts';
import type { Rollbacks } from '../reconcile/rollbacks.ts';
import type { Source } from '../sources/source.ts';

export interface RollbacksOptions {
  readonly state: () => Promise<ObjectStore>;
  /** Nothing is to be wanted again where others write it. */
  readonly source: Pick<Source, 'writer'>;
  /** Where states lie on this machine; undefined: nowhere. */
  readonly here?: {
    readonly folders: Folders;
    readonly users: Users;
    readonly disks?: HeldDisks | undefined;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Rollbacks with the real store, source and data folder. */
export function openRollbacks(options: RollbacksOptions): Rollbacks {
  const { here, clock, log } = options;

  const contextOf = async (bot: string): Promise<StateContext> => ({
    store: await options.state(),
    bot,
    clock,
    warn: (message, fields) => log.warn(message, { ...fields, bot }),
  });

  /** What lies here may hold what was never saved: it stays in the trash for a week. */
  async function putAside(bot: string): Promise<void> {
    if (here === undefined) return;
    const { folders, users, disks } = here;
    const { uid, gid } = users.of(bot);
    const { own, state, diskFile } = folders.bot(bot);
    const aside = (what: string) => join(folders.trash, `${clock.now().toString(36)}-${bot}-${what}`);
    if (existsSync(diskFile)) {
      await disks?.release(bot);
      const disk = aside(basename(diskFile));
      renameSync(diskFile, disk);
      // What fails here, `keepHouse` tries once more, and tells.
      return await shrinkDisk(disk).catch(() => undefined);
    }
    if (existsSync(state) && readdirSync(state).length === 0) return;
    const empty = join(own, 'state.new');
    rmSync(empty, { recursive: true, force: true });
    mkdirSync(empty, { mode: 0o700 });
    chownSync(empty, uid, gid);
    if (existsSync(state)) renameSync(state, aside('state'));
    renameSync(empty, state);
  }

  return {
    check: async (bot, sequence, signal) =>
      void findSnapshot(await requireHead(await contextOf(bot), signal), sequence),
    publish: async (bot, { sequence, askedAt }, signal) => {
      await publishAgain(await contextOf(bot), { sequence, holder: `rollback-${askedAt}`, signal });
      await putAside(bot);
    },
    want: async (spec) => void (await options.source.writer?.apply(writeSpec(spec))),
  };
}
