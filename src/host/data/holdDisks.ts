import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createTurns } from '../../base/createTurns.ts';
import { asRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import type { BotFolders, Folders } from './folders.ts';
import { makeWritten } from './makeWritten.ts';
import { runTool } from './runTool.ts';

/**
 * A disk of its own for each bot: an ext4 file system of exactly the size that it may have, in a file, mounted by a loop device.
 * Whoever fills it is told by the kernel (ENOSPC), at the byte, and takes nothing from the host or others. The whole of the file is allocated
 * before anybody writes: of a sparse one the kernel would promise room that the host's disk has not, tell nobody when there is none, and
 * read zeros where it could not write. All of it outlives this process: mounts are found again, and what was not mounted any more (the
 * machine was started anew) is mounted before its next instance.
 */
export interface HeldDisks {
  /** Mounts it, made where there is none, with the folders that its user writes to. Safe to repeat. Throws `unavailable`. */
  hold(bot: string, bytes: number, user: { readonly uid: number; readonly gid: number }): Promise<void>;
  /** Unmounts it; its file stays, with everything on it. Nothing of the bot may run. Throws `unavailable`. */
  release(bot: string): Promise<void>;
  /** Bytes that it takes; undefined: it has no disk of its own that is mounted. */
  used(bot: string): number | undefined;
}

/** `own`: for each bot, or it does not start. `auto`: where there is room for all of it. `watched`: for none, folders are watched instead. */
export type HowDisks = 'auto' | 'own' | 'watched';

/** What stays free of the host's disk, a share of it: with less, nothing more is started (`hostFull`). */
const LEAST_FREE = 0.1;

/** The smallest that mkfs makes with a journal. */
const LEAST_BYTES = 16 * 2 ** 20;
/** A journal of 4 MiB. Tables of inodes are not written until they are used. */
const MAKE = [
  '-q',
  '-F',
  '-b',
  '4096',
  '-m',
  '0',
  '-J',
  'size=4',
  '-E',
  'lazy_itable_init=1,lazy_journal_init=1,nodiscard',
];
/** What is removed stays allocated. After an error of the host's disk nothing is written any more. */
const MOUNT = 'loop,nosuid,nodev,noatime,noinit_itable,errors=remount-ro';

const LONGEST_CHECK_MS = 300_000;
/** What e2fsck exits with where it has mended all that was wrong: 1, or 2 for file systems that are mounted. */
const MENDED = 3;

export function holdDisks(folders: Folders, how: HowDisks): HeldDisks {
  /** What is done to a bot's disk, one after the other. */
  const inTurn = createTurns();

  return {
    hold: (bot, bytes, user) =>
      inTurn(bot, async () => {
        const own = folders.bot(bot);
        makeFolders(own.disk, 0o711);
        // After an error of the host's disk; nothing of the bot runs that could have it open.
        if (isMounted(own) && isReadOnly(own.disk)) await runTool('umount', [own.disk]);
        // What lies there unheld, of a time when there could be no disk, is not covered by an empty one.
        const isPlain =
          existsSync(own.state) || !(existsSync(own.diskFile) || makesOne(how, own.disk, bytes));
        if (!isMounted(own) && !isPlain) {
          if (!existsSync(own.diskFile)) await makeDisk(own.diskFile, Math.max(bytes, LEAST_BYTES));
          await mount(own);
        }
        makeWritten(own, user);
      }),
    release: (bot) =>
      inTurn(bot, async () => {
        const own = folders.bot(bot);
        if (!existsSync(own.disk) || !isMounted(own)) return;
        await runTool('umount', [own.disk]);
        rmdirSync(own.disk);
      }),
    used: (bot) => {
      const own = folders.bot(bot);
      if (!existsSync(own.disk) || !isMounted(own)) return undefined;
      const { blocks, bfree, bsize } = statfsSync(own.disk);
      return (blocks - bfree) * bsize;
    },
  };
}

/** Why no disk can be made and mounted here: tried with a small one in `folder`, of which nothing is left. `look` is asked of where it is mounted. */
export async function tryDisk(
  folder: string,
  look: (mounted: string) => string | undefined,
): Promise<string | undefined> {
  const own = { disk: `${folder}/disk-try`, diskFile: `${folder}/disk-try.img` };
  try {
    makeFolders(own.disk, 0o700);
    // Of a try that was killed.
    if (isMounted(own)) await runTool('umount', [own.disk]);
    await makeDisk(own.diskFile, LEAST_BYTES);
    await mount(own);
    const problem = look(own.disk);
    await runTool('umount', [own.disk]);
    rmdirSync(own.disk);
    return problem;
  } catch (error) {
    return asRuntimeError(error).message;
  } finally {
    rmSync(own.diskFile, { force: true });
  }
}

const isMounted = ({ disk }: Pick<BotFolders, 'disk'>) => statSync(disk).dev !== statSync(`${disk}/..`).dev;

/** Throws `unavailable` where there is to be one, and no room for it: nobody else is to run out of it meanwhile. */
function makesOne(how: HowDisks, folder: string, bytes: number): boolean {
  if (how === 'watched') return false;
  const { blocks, bavail, bsize } = statfsSync(folder);
  if (bavail * bsize - bytes >= blocks * bsize * LEAST_FREE) return true;
  if (how === 'auto') return false;
  const [mib, free] = [bytes, bavail * bsize].map((one) => Math.round(one / 2 ** 20));
  throw new RuntimeError(
    'unavailable',
    `No space left for a disk of ${mib} MiB: ${free} MiB are free, and a tenth of the host's disk stays so`,
    { op: 'disk.hold', path: folder, hint: '--disks auto only watches what has no room of its own.' },
  );
}

/** Whole or not at all, also after a power cut. */
async function makeDisk(file: string, bytes: number): Promise<void> {
  const made = `${file}.new`;
  rmSync(made, { force: true });
  writeFileSync(made, '', { mode: 0o600 });
  try {
    await runTool('fallocate', ['--length', String(bytes), made]);
    await runTool('mkfs.ext4', [...MAKE, made]);
  } catch (error) {
    rmSync(made, { force: true });
    throw error;
  }
  const opened = openSync(made, 'r');
  fsyncSync(opened);
  closeSync(opened);
  renameSync(made, file);
}

/**
 * After a power cut its journal is replayed, and after an error all of it is looked at. Throws `unavailable` where what is wrong cannot be
 * mended without losing something: it is left as it is, for whoever decides about that.
 */
async function mount({ disk, diskFile }: Pick<BotFolders, 'disk' | 'diskFile'>): Promise<void> {
  try {
    await runTool('e2fsck', ['-p', diskFile], { longestMs: LONGEST_CHECK_MS, good: MENDED });
  } catch (error) {
    // There is none here: the kernel replays the journal as well.
    if (systemCode((error as Error).cause) !== 'ENOENT') throw error;
  }
  await runTool('mount', ['-t', 'ext4', '-o', MOUNT, diskFile, disk]);
}

/** Tried: newer kernels tell nobody else that they have stopped writing. */
function isReadOnly(folder: string): boolean {
  try {
    utimesSync(folder, 0, 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'EROFS';
  }
}
