import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { botId } from '../../bot/config/parsers.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { readSpec } from '../bots/readSpec.ts';
import { createBotReader } from './botReader.ts';
import { directoryHints } from './directoryHints.ts';
import { createDirectoryWriter } from './directoryWriter.ts';
import { folderFingerprint } from './packFolder.ts';
import type { BotFileOnDisk, BotFileRead } from './readBotFile.ts';
import type { Entry, Listing, Source } from './source.ts';

export interface DirectoryOptions {
  readonly path: string;
  readonly clock: Clock;
  /** The code bucket, for code that lies in a folder. */
  readonly code: () => Promise<ObjectStore>;
}

const LIST_EVERY_MS = 5_000;
/** An editor that saves a file may take it away for a moment. */
const GONE_AFTER_MS = 400;

interface Known {
  /** What the file looked like when it was read. */
  readonly fingerprint: string;
  readonly entry: BotFileRead;
  readonly name: string;
}

/**
 * A folder in which each `*.yaml`, `*.yml` or `*.json` is a bot, and so is each folder with a `bot.yaml`. The listing is the
 * truth, every 5 s; hints from the system only make it come sooner.
 */
export function openDirectorySource(options: DirectoryOptions): Source {
  const { path, clock } = options;
  const reader = createBotReader(clock, options.code);
  let known = new Map<string, Known>();
  const goneSince = new Map<string, number>();
  let lastListing: Listing = new Map();

  async function list(): Promise<{ listing: Listing; again: boolean }> {
    const files = botFiles(path);
    const now = clock.now();
    const next = new Map<string, Known>();
    for (const file of files) {
      const one = await look(file, known.get(file.path), now);
      if (one !== undefined) next.set(file.path, one);
    }
    let again = false;
    for (const [file, one] of known) {
      if (next.has(file)) {
        goneSince.delete(file);
        continue;
      }
      const since = goneSince.get(file) ?? now;
      goneSince.set(file, since);
      if (now - since >= GONE_AFTER_MS) goneSince.delete(file);
      else {
        next.set(file, one);
        again = true;
      }
    }
    known = next;
    return { listing: asListing(known.values()), again };
  }

  /** Whatever is wrong with one file, or with the folder of its code, is that bot's affair: the others are listed. */
  async function look(
    file: BotFileOnDisk,
    before: Known | undefined,
    now: number,
  ): Promise<Known | undefined> {
    try {
      return await lookAt(file, before, now);
    } catch (error) {
      const problems = [`cannot be read: ${(error as Error).message}`];
      return { fingerprint: '', name: before?.name ?? nameOf(file), entry: { problems, origin: file.path } };
    }
  }

  async function lookAt(
    file: BotFileOnDisk,
    before: Known | undefined,
    now: number,
  ): Promise<Known | undefined> {
    const codeFolder = before?.entry.codeFolder;
    const fingerprint = fingerprintOf(file, codeFolder);
    if (fingerprint === undefined) return undefined;
    if (before?.fingerprint === fingerprint) return before;
    const entry = await reader.read(file, fingerprint);
    if (entry === undefined) return untilStoreAnswers(file, before, now);
    // A file that can no longer be read is still the bot that it was.
    const name = 'spec' in entry ? entry.spec.name : (before?.name ?? nameOf(file));
    // With another folder of code it is read once more: what is read has then been looked at before.
    return { fingerprint: entry.codeFolder === codeFolder ? fingerprint : '', entry, name };
  }

  return {
    label: `dir:${path}`,
    writer: createDirectoryWriter(path, () => lastListing, clock),
    run: async (observer, signal) => {
      makeSource(path);
      const hints = await directoryHints(path, signal);
      while (!signal.aborted) {
        let pause = LIST_EVERY_MS;
        try {
          const { listing, again } = await list();
          lastListing = listing;
          if (again) pause = GONE_AFTER_MS;
          observer.listed(listing);
        } catch (error) {
          pause = 1_000;
          observer.failed(unreadable(path, error));
        }
        await hints.next(pause);
      }
    },
  };
}

/** What counts while the store takes no code: the bot that it was, off when its file says so now. It is read again. */
function untilStoreAnswers(file: BotFileOnDisk, before: Known | undefined, now: number): Known {
  const origin = file.path;
  const name = before?.name ?? nameOf(file);
  if (before === undefined || !('spec' in before.entry))
    return { fingerprint: '', name, entry: { problems: ['code: the store does not answer'], origin } };
  const text = readSpec(readFileSync(file.path, 'utf8'), now);
  const isOff = 'rest' in text && text.rest.name === name && !text.rest.enabled;
  const { spec } = before.entry;
  const entry = isOff && spec.enabled ? { ...before.entry, spec: { ...spec, enabled: false } } : before.entry;
  return { fingerprint: '', name, entry };
}

/** The folder that is looked at; one that is not there yet is empty. Throws `config`. */
function makeSource(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    const isFile = systemCode(error) === 'EEXIST';
    throw new RuntimeError('config', `bots cannot be read from ${path} (${systemCode(error)})`, {
      path,
      hint: isFile
        ? 'It is a file: name the folder that it is in.'
        : 'Name a folder that is there, or that can be made.',
      cause: error,
    });
  }
}

function botFiles(path: string): BotFileOnDisk[] {
  const found: BotFileOnDisk[] = [];
  for (const name of readdirSync(path).sort()) {
    if (name.startsWith('.')) continue;
    const file = join(path, name);
    const own = join(file, 'bot.yaml');
    if (/\.(ya?ml|json)$/.test(name)) found.push({ path: file, ownFolder: undefined });
    else if (existsSync(own)) found.push({ path: own, ownFolder: file });
  }
  return found;
}

function fingerprintOf(
  { path, ownFolder }: BotFileOnDisk,
  codeFolder: string | undefined,
): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined || !stat.isFile()) return undefined;
  const folders = [ownFolder, codeFolder].map((folder) =>
    folder !== undefined && existsSync(folder) ? folderFingerprint(folder) : '',
  );
  return `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${folders.join(' ')}`;
}

function nameOf({ path, ownFolder }: BotFileOnDisk): string {
  const name = basename(ownFolder ?? path).replace(/\.(ya?ml|json)$/, '');
  return botId.parse(name) ?? 'unnamed';
}

function asListing(known: Iterable<Known>): Listing {
  const listing = new Map<string, Entry>();
  for (const { name, entry } of known) {
    const other = listing.get(name);
    listing.set(name, other === undefined ? entry : clash(name, other, entry));
  }
  return listing;
}

function clash(name: string, a: Entry, b: Entry): Entry {
  return { problems: [`two files are the bot ${name}: ${a.origin} and ${b.origin}`], origin: a.origin };
}

function unreadable(path: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  return new RuntimeError('unavailable', `${path} cannot be listed: ${(error as Error).message}`, {
    op: 'source.list',
    path,
    retryable: true,
    cause: error,
  });
}
