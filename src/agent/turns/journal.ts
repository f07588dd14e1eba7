import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { type Entry, parseEntry } from './entry.ts';

/** The folder in STATE_PATH. */
const FOLDER = '.agent';
const FILE = 'turns.ndjson';
/** What is read at a start, bytes; the end of a longer file counts. */
const MAX_BYTES = 96 * 1024 * 1024;

const { O_RDONLY, O_RDWR, O_NOFOLLOW, O_DIRECTORY, O_CREAT, O_EXCL, O_NONBLOCK } = constants;

/**
 * Where turns, keys and conversations are kept: a file in the bot's state, so that they are saved and rolled back with it. An entry is one
 * write; one that a crash, or a snapshot taken meanwhile, has cut short is left out when it is read. The state's folder is the bot's,
 * who may put links in our way: everything is opened through the descriptor of our own folder, and no link is followed.
 */
export interface Journal {
  /** What is in it, from the oldest on. */
  read(): readonly Entry[];
  /** It outlives our own death once this returns. Throws `unsaved`. */
  append(entry: Entry): void;
  /** Makes these all that is in it, in one step. Throws `unsaved`. */
  rewrite(entries: readonly Entry[]): void;
  /** Bytes. */
  readonly size: number;
  close(): void;
}

export interface JournalOptions {
  /** STATE_PATH. */
  readonly state: string;
  readonly log: Logger;
}

/** Throws `unsaved` where the folder cannot be made. */
export function openJournal({ state, log }: JournalOptions): Journal {
  const folder = attempt(() => openFolder(state));
  const at = (name: string) => `/proc/self/fd/${folder}/${name}`;
  let file = attempt(() => openFile(at(FILE)));
  let size = fstatSync(file).size;
  return {
    read: () => {
      const { text, cut } = readAll(file);
      const lines = text.split('\n');
      // What a crash has cut short is ended, so that the next entry is a line of its own.
      if (lines.pop() !== '') size += attempt(() => writeSync(file, '\n', size));
      if (cut) lines.shift();
      const entries = lines.map(parseEntry).filter((entry) => entry !== undefined);
      const strange = lines.length - entries.length;
      if (strange > 0) log.warn('lines in the turns of the saved state are none of ours', { lines: strange });
      return entries;
    },
    append: (entry) => {
      attempt(() => {
        const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
        try {
          if (writeSync(file, bytes, 0, bytes.length, size) !== bytes.length)
            throw new Error('the disk is full');
        } catch (error) {
          // Half a line would make one of it and the next.
          ftruncateSync(file, size);
          throw error;
        }
        size += bytes.length;
      });
    },
    rewrite: (entries) => {
      attempt(() => {
        // A name that nobody can have put something at.
        const temporary = at(`${FILE}.${randomUUID()}`);
        const fd = openSync(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
        try {
          const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
          for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
          renameSync(temporary, at(FILE));
          closeSync(file);
          file = fd;
          size = bytes.length;
        } catch (error) {
          if (fd !== file) closeSync(fd);
          rmSync(temporary, { force: true });
          throw error;
        }
      });
    },
    get size() {
      return size;
    },
    close: () => {
      closeSync(file);
      closeSync(folder);
    },
  };
}

/** A plain folder, whatever had its name. */
function openFolder(state: string): number {
  const parent = openSync(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const path = `/proc/self/fd/${parent}/${FOLDER}`;
    const open = () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      return open();
    } catch {
      if (lstatSync(path, { throwIfNoEntry: false })) renameSync(path, `${path}.${randomUUID()}`);
      mkdirSync(path, { mode: 0o755 });
      return open();
    }
  } finally {
    closeSync(parent);
  }
}

/** A plain file under this one name: anything else is somebody's trap. */
function openFile(path: string): number {
  for (let isSecond = false; ; isSecond = true) {
    try {
      const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
      const stat = fstatSync(fd);
      if (stat.isFile() && stat.nlink === 1) return fd;
      closeSync(fd);
      throw new Error('it is no plain file');
    } catch (error) {
      if (isSecond) throw error;
      // Out of the way, whatever it is: to remove a folder of the bot's would be to follow it.
      renameSync(path, `${path}.${randomUUID()}`);
    }
  }
}

function readAll(file: number): { text: string; cut: boolean } {
  const { size } = fstatSync(file);
  const from = Math.max(0, size - MAX_BYTES);
  const bytes = Buffer.alloc(size - from);
  let length = 0;
  for (let got = -1; length < bytes.length && got !== 0; length += got) {
    got = readSync(file, bytes, length, bytes.length - length, from + length);
  }
  return { text: bytes.toString('utf8', 0, length), cut: from > 0 };
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new RuntimeError(
      'unsaved',
      `the turns cannot be kept in the state (${systemCode(error) ?? String(error)})`,
      {
        op: 'turns.keep',
        cause: error,
      },
    );
  }
}
