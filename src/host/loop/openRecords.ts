import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Folders } from '../data/folders.ts';
import { nothingRecorded, type Recorded } from '../reconcile/recorded.ts';
import type { Records } from '../reconcile/records.ts';

export interface OpenRecords {
  readonly records: Records;
  /** Records that could not be read: their bots are left alone rather than started on what is not known. */
  readonly damaged: ReadonlyMap<string, string>;
}

/** `host.json` of every bot, read once; from then on memory and disk say the same. */
export function openRecords(folders: Folders, now: () => number): OpenRecords {
  mkdirSync(folders.bots, { recursive: true, mode: 0o711 });
  mkdirSync(folders.trash, { recursive: true, mode: 0o700 });
  const kept = new Map<string, Recorded>();
  const damaged = new Map<string, string>();
  for (const bot of readdirSync(folders.bots)) {
    try {
      kept.set(bot, read(folders.bot(bot).record));
    } catch (error) {
      damaged.set(bot, (error as Error).message);
    }
  }
  const records: Records = {
    bots: () => [...kept.keys()],
    get: (bot) => kept.get(bot) ?? nothingRecorded,
    put: async (bot, recorded) => {
      const { own, record } = folders.bot(bot);
      mkdirSync(own, { recursive: true, mode: 0o711 });
      writeDurably(own, record, `${JSON.stringify(recorded)}\n`);
      kept.set(bot, recorded);
    },
    forget: async (bot) => {
      const { own } = folders.bot(bot);
      // Kept for a while: what was not saved is nowhere else.
      if (existsSync(own)) renameSync(own, join(folders.trash, `${now().toString(36)}-${bot}`));
      kept.delete(bot);
    },
  };
  return { records, damaged };
}

function read(file: string): Recorded {
  if (!existsSync(file)) return nothingRecorded;
  const value: Recorded = JSON.parse(readFileSync(file, 'utf8'));
  if (value?.version !== 1)
    throw new Error(`${file} has the version ${value?.version}, which this host does not know`);
  return value;
}

/** Old or new after a crash of the machine as well. */
function writeDurably(folder: string, file: string, text: string): void {
  const temporary = `${file}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
