import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceFile } from '../../base/replaceFile.ts';

/** Records on the disk, by their id: one file of JSON each, replaced whole. */
export interface JsonFiles<T> {
  readonly found: readonly T[];
  put(record: T): void;
  remove(id: string): void;
}

export function openJsonFiles<T extends { readonly id: string }>(folder: string): JsonFiles<T> {
  makeFolders(folder, 0o700);
  const pathOf = (id: string) => join(folder, `${id}.json`);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return {
    found: names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T),
    put: (record) => replaceFile(pathOf(record.id), JSON.stringify(record), { mode: 0o600 }),
    remove: (id) => rmSync(pathOf(id), { force: true }),
  };
}
