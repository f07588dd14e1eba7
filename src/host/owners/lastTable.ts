import { readFileSync } from 'node:fs';
import type { Logger } from '../../base/log.ts';
import { replaceFile } from '../../base/replaceFile.ts';
import { nobody, type Table } from './owners.ts';
import { parseTable, type ReadTable, tableText } from './ownersTable.ts';

/** The table as this host saw it last, on its own disk: for a start while the store is away. */
export interface LastTable {
  /** Nobody's, where there is none that can be read. */
  recall(): Table;
  remember(read: ReadTable): void;
}

export function createLastTable(file: string, log: Logger): LastTable {
  let kept: string | undefined;
  return {
    recall: () => {
      try {
        return parseTable(readFileSync(file, 'utf8'), file);
      } catch {
        return nobody;
      }
    },
    remember: ({ table, tag }) => {
      if (tag === undefined || tag === kept) return;
      kept = tag;
      try {
        replaceFile(file, tableText(table), { mode: 0o600 });
      } catch (error) {
        log.warn(`${file} cannot be written: ${(error as Error).message}`);
      }
    },
  };
}
