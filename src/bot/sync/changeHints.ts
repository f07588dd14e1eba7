import type { Logger } from '../../base/log.ts';
import { type EntryPath, fromText, ROOT } from '../state/format/entryPath.ts';
import { FolderWatches } from './folderWatches.ts';

export interface ChangeHintsOptions {
  readonly dir: string;
  /** Names at the top of `dir` that are not part of the state. */
  readonly ignore: readonly string[];
  /** Told as paths are inside a state, one character per byte. */
  readonly onChange: (path: EntryPath) => void;
  /** One of `ignore` has come, gone or changed. */
  readonly onIgnored: () => void;
  /** What was written from then on is told at once; see `FolderWatches`. */
  readonly since?: number | undefined;
  readonly log: Logger;
}

/** Some kilobytes each, and the system has only so many for all bots of a host. */
const MAX_FOLDERS = 1000;

/**
 * Says that something below `dir` changed, as far as the system tells. Only a hint: the periodic scan is the truth, so
 * a watcher that cannot be had (no inotify watches left, too many folders) costs timeliness and nothing else.
 *
 * One inotify watch a folder, where chokidar takes one a file as well: 11 against 1,011 for 1,000 files in 11 folders.
 */
export function watchChanges({ dir, ignore, onChange, onIgnored, since, log }: ChangeHintsOptions): {
  close(): void;
} {
  const giveUp = (error: unknown) => {
    watches.close();
    log.warn('changes are not watched; the state is looked at every SYNC_INTERVAL only', {
      reason: error instanceof Error ? error.message : String(error),
    });
  };
  const watches = new FolderWatches({
    root: fromText(dir),
    isIgnored: (name) => ignore.includes(name),
    onChange,
    onIgnored,
    onFailure: giveUp,
    maxFolders: MAX_FOLDERS,
    since,
  });
  try {
    watches.add(ROOT);
  } catch (error) {
    giveUp(error);
  }
  return { close: () => watches.close() };
}
