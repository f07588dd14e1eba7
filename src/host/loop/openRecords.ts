import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import type { Folders } from '../data/folders.ts';
import type { HeldDisks } from '../data/holdDisks.ts';
import { shrinkDisk } from '../data/shrinkDisk.ts';
import { nothingRecorded, type Recorded, withSpec } from '../reconcile/recorded.ts';
import type { Records } from '../reconcile/records.ts';
import { createDurableLog } from './durableLog.ts';
import { readRecord, recordLine } from './recordLine.ts';

export interface OpenRecords {
  readonly records: Records;
  /** Bots whose last record cannot be read: they are left alone rather than started on what is not known. */
  readonly damaged: ReadonlyMap<string, string>;
  close(): void;
}

const COMPACT_BYTES = 16 * 2 ** 20;

/**
 * What is recorded of all bots: a snapshot, and a log of what came after, a line `BOT JSON` each. What is put in the same moment
 * by many bots reaches the disk together. A line that a crash has cut was never acted upon, and is left out.
 */
export function openRecords(
  folders: Folders,
  now: () => number,
  disks?: Pick<HeldDisks, 'release'>,
): OpenRecords {
  for (const folder of [folders.bots, folders.records]) makeFolders(folder, 0o711);
  makeFolders(folders.trash, 0o700);
  const [snapshot, file] = [join(folders.records, 'snapshot'), join(folders.records, 'log')];
  const kept = new Map<string, Recorded>();
  const damaged = new Map<string, string>();
  for (const path of [snapshot, file]) replay(path, kept, damaged);

  const fd = openSync(file, 'a', 0o600);
  let bytes = 0;
  const log = createDurableLog(fd);
  compact();

  /** A crash in between replays the old log over the new snapshot, which says the same. */
  function compact(): void {
    // What cannot be read is kept as it is, for whoever has to find out why.
    if (damaged.size > 0) return;
    const text = [...kept].map(([bot, recorded]) => recordLine(bot, recorded)).join('');
    const temporary = openSync(`${snapshot}.new`, 'w', 0o600);
    writeSync(temporary, text);
    fsyncSync(temporary);
    closeSync(temporary);
    renameSync(`${snapshot}.new`, snapshot);
    const folder = openSync(folders.records, 'r');
    fsyncSync(folder);
    closeSync(folder);
    ftruncateSync(fd, 0);
    bytes = 0;
  }

  async function write(bot: string, recorded: Recorded | null): Promise<void> {
    const line = recordLine(bot, recorded);
    bytes += line.length;
    await log.append(line);
    if (recorded === null) kept.delete(bot);
    else kept.set(bot, recorded);
    if (bytes > COMPACT_BYTES && log.isQuiet) compact();
  }

  const records: Records = {
    bots: () => [...kept.keys()],
    get: (bot) => kept.get(bot) ?? nothingRecorded,
    put: write,
    share: (bot, spec) => {
      const recorded = kept.get(bot);
      if (recorded !== undefined) kept.set(bot, withSpec(recorded, spec));
    },
    forget: async (bot) => {
      await disks?.release(bot);
      const { own, diskFile } = folders.bot(bot);
      const aside = join(folders.trash, `${now().toString(36)}-${bot}`);
      // Kept for a while: what was not saved is nowhere else.
      if (existsSync(own)) renameSync(own, aside);
      if (kept.has(bot)) await write(bot, null);
      // What fails here, `keepHouse` tries once more, and tells.
      await shrinkDisk(join(aside, basename(diskFile))).catch(() => undefined);
    },
  };
  return { records, damaged, close: () => closeSync(fd) };
}

function replay(path: string, kept: Map<string, Recorded>, damaged: Map<string, string>): void {
  if (!existsSync(path)) return;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    // Nothing, or what was cut and therefore never said to be written.
    if (!/(\}|null)$/.test(line)) continue;
    const space = line.indexOf(' ');
    const bot = line.slice(0, space);
    try {
      const recorded = readRecord(line.slice(space + 1));
      damaged.delete(bot);
      if (recorded === null) kept.delete(bot);
      else kept.set(bot, recorded);
    } catch (error) {
      damaged.set(bot, (error as Error).message);
    }
  }
}
