import { botProcesses, readProcessTable } from '../../base/process/processTree.ts';

/** Processes that belong together, as they were found at one moment. */
export interface GroupMembers {
  readonly found: readonly number[];
  /** Those of them that still live, and whoever has joined the groups since. */
  living(): readonly number[];
}

/**
 * All processes of these groups with all their descendants. To be asked before the first of them is told to end: an
 * orphan has lost the parent that it is found by.
 */
export function groupMembers(groups: readonly number[]): GroupMembers {
  const members = (table = readProcessTable()) => groups.flatMap((group) => botProcesses(table, group));
  const found = members();
  return {
    found,
    living: () => {
      const table = readProcessTable();
      const alive = new Set(table.filter(({ state }) => state !== 'Z').map(({ pid }) => pid));
      return [...new Set([...found.filter((pid) => alive.has(pid)), ...members(table)])];
    },
  };
}
