import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from '../log.ts';

export interface ChangeHintsOptions {
  readonly dir: string;
  /** Names at the top of `dir` that are not part of the state. */
  readonly ignore: readonly string[];
  readonly onChange: (path: string) => void;
  readonly log: Logger;
}

/**
 * Says that something below `dir` changed, as far as the system tells. Only a hint: the periodic scan is the truth, so
 * a watcher that cannot be had (no inotify watches left, no such system call) costs timeliness and nothing else.
 *
 * `fs.watch` takes one inotify watch a folder where chokidar takes one a file as well: 11 against 1,011 for 1,000 files
 * in 11 folders (docs/performance.md).
 */
export function watchChanges({ dir, ignore, onChange, log }: ChangeHintsOptions): { close(): void } {
  let watcher: FSWatcher | undefined;
  const giveUp = (error: unknown) => {
    watcher?.close();
    watcher = undefined;
    log.warn('changes are not watched; the state is looked at every SYNC_INTERVAL only', {
      reason: error instanceof Error ? error.message : String(error),
    });
  };
  try {
    watcher = watch(dir, { recursive: true, persistent: false }, (_event, name) => {
      const path = name ?? '';
      if (!ignore.includes(path.split('/', 1)[0] ?? '')) onChange(path);
    });
    watcher.on('error', giveUp);
  } catch (error) {
    giveUp(error);
  }
  return { close: () => watcher?.close() };
}
