import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createTurns } from '../../base/createTurns.ts';
import { RuntimeError } from '../../base/errors.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { replaceDurably } from '../loop/replaceDurably.ts';
import type { SandboxRecord } from './record.ts';

/** A file for each sandbox, root's alone. */
export interface RecordFiles {
  readonly found: readonly SandboxRecord[];
  /** On the disk when this resolves; those of one sandbox one after the other. */
  put(record: SandboxRecord): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Throws `damaged` for a file that cannot be read: what it stands for may run, and is not to be forgotten. */
export function openRecordFiles(folder: string): RecordFiles {
  makeFolders(folder, 0o700);
  const inTurn = createTurns();
  const path = (id: string) => join(folder, `${id}.json`);

  return {
    found: readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => readRecord(join(folder, name))),
    put: (record) => inTurn(record.id, () => replaceDurably(path(record.id), `${JSON.stringify(record)}\n`)),
    remove: (id) => inTurn(id, () => rm(path(id), { force: true })),
  };
}

/** Of records that were written before hosts shared them. */
const UNSHARED = { held: undefined, moves: 0 };

function readRecord(path: string): SandboxRecord {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as SandboxRecord;
    if (record.version !== 1) throw new Error(`it has the version ${String(record.version)}`);
    return { ...UNSHARED, ...record };
  } catch (error) {
    throw new RuntimeError('damaged', `the record of a sandbox cannot be read: ${(error as Error).message}`, {
      op: 'sandboxes.read',
      path,
      hint: 'Nothing is started or stopped until it can be. Take the file away to give up its sandbox.',
      cause: error,
    });
  }
}
