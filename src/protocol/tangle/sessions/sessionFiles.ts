import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../../base/makeFolders.ts';
import { replaceFile } from '../../../base/replaceFile.ts';
import type { Session } from './session.ts';

/** Sessions on the disk, one file each, replaced whole. */
export interface SessionFiles {
  readonly found: readonly Session[];
  put(session: Session): void;
  remove(id: string): void;
}

export function openSessionFiles(folder: string): SessionFiles {
  makeFolders(folder, 0o700);
  const pathOf = (id: string) => join(folder, `${id}.json`);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return {
    found: names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Session),
    put: (session) => replaceFile(pathOf(session.id), JSON.stringify(session), { mode: 0o600 }),
    remove: (id) => rmSync(pathOf(id), { force: true }),
  };
}
