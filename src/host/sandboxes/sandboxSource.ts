import { orAborted } from '../../base/orAborted.ts';
import type { Entry, Source, SourceObserver } from '../sources/source.ts';

/** The bots that sandboxes are, told to the loop at once whenever one of them has changed. */
export interface SandboxSource {
  readonly source: Source;
  /** `entry` undefined: it is no longer wanted, and somebody meant that. */
  set(id: string, entry: Entry | undefined): void;
}

/** `gone`: those that were removed in an earlier life, and may still run. */
export function createSandboxSource(
  label: string,
  found: ReadonlyMap<string, Entry>,
  gone: Iterable<string>,
): SandboxSource {
  const entries = new Map(found);
  const removed = new Set(gone);
  let observer: SourceObserver | undefined;

  function tell(): void {
    if (observer === undefined) return;
    observer.listed(new Map(entries), new Set(removed));
    removed.clear();
  }

  return {
    source: {
      label,
      writer: undefined,
      run: async (told, signal) => {
        observer = told;
        tell();
        await orAborted(new Promise<never>(() => undefined), signal).catch(() => undefined);
      },
    },
    set: (id, entry) => {
      if (entry === undefined) {
        if (!entries.delete(id)) return;
        removed.add(id);
      } else {
        entries.set(id, entry);
      }
      tell();
    },
  };
}
