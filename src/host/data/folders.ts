import { join } from 'node:path';

/**
 * The room of the host's own disk: the data folder, which belongs to root. `folders` says what lies where; `openUsers` gives each bot
 * a user of its own for as long as it has a folder; `holdDisks` gives sandboxes file systems of their own. Everything else of a host is
 * found again in the engine or the store.
 */

/** Where a host keeps what outlives it. Below the data folder, which belongs to root alone. */
export interface Folders {
  readonly data: string;
  /** What bots write lies on a disk of each one's own (`holdDisks`), which makes `state` and `the0`. */
  readonly ownDisks: boolean;
  /** What is kept of one bot: its state while it runs, its logs. */
  bot(name: string): BotFolders;
  readonly bots: string;
  /** What was a bot's and may still be wanted. */
  readonly trash: string;
  /** Unpacked code archives by their SHA-256, mounted read-only. */
  readonly code: string;
  readonly journal: string;
  /** What is recorded of all bots. */
  readonly records: string;
  /** Sealed keys of bots, and the secret of their seals. */
  readonly credentials: string;
  /** What waiting query workers will be given; nothing of it outlives a worker. */
  readonly workers: string;
  /** Which host has which bot, as this one saw it last. */
  readonly owners: string;
  /** As whom this host is known to others of its store. */
  readonly life: string;
  readonly lock: string;
}

export interface BotFolders {
  readonly own: string;
  readonly user: string;
  readonly code: string;
  /** With `ownDisks`: where its disk is mounted, and the file that is this disk. */
  readonly disk: string;
  readonly diskFile: string;
  readonly state: string;
  /** `/var/the0` inside: logs, exit.json. */
  readonly the0: string;
  readonly secrets: string;
}

export function createFolders(data: string, ownDisks = false): Folders {
  const bots = join(data, 'bots');
  return {
    data,
    ownDisks,
    bots,
    trash: join(data, 'trash'),
    code: join(data, 'code'),
    journal: join(data, 'journal'),
    records: join(data, 'records'),
    credentials: join(data, 'credentials'),
    workers: join(data, 'workers'),
    owners: join(data, 'owners'),
    life: join(data, 'life'),
    lock: join(data, 'lock'),
    bot: (name) => {
      const own = join(bots, name);
      const disk = join(own, 'disk');
      const written = ownDisks ? disk : own;
      return {
        own,
        user: join(own, 'user'),
        code: join(own, 'code.json'),
        disk,
        diskFile: join(own, 'disk.img'),
        state: join(written, 'state'),
        the0: join(written, 'the0'),
        secrets: join(own, 'secrets'),
      };
    },
  };
}
