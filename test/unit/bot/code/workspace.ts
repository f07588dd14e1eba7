import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { UnpackOptions } from '../../../../src/bot/code/unpackTree.ts';
import { type UnpackedArchive, unpackArchive } from '../../../support/files/unpackArchive.ts';

/** A directory for one test, taken away after it. */
export function workspace(): string {
  const directory = mkdtempSync(join(tmpdir(), 'runtime-code-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Unpacks bytes into `<directory>/bot`. */
export async function unpack(
  directory: string,
  archive: Uint8Array,
  options: Partial<UnpackOptions> = {},
): Promise<UnpackedArchive> {
  const file = join(directory, 'archive');
  writeFileSync(file, archive);
  try {
    return await unpackArchive(file, join(directory, 'bot'), { maxBytes: 1 << 30, ...options });
  } finally {
    rmSync(file);
  }
}

/** What lies under `directory`, the marker left out: text of files, `-> target`, `/` for directories. */
export function tree(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  if (!existsSync(directory)) return found;
  const visit = (prefix: string) => {
    for (const name of readdirSync(join(directory, prefix)).sort()) {
      const path = prefix === '' ? name : `${prefix}/${name}`;
      if (name === '.runtime-code.json') continue;
      const stat = lstatSync(join(directory, path));
      if (stat.isDirectory()) {
        found[path] = '/';
        visit(path);
      } else if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(directory, path))}`;
      else found[path] = readFileSync(join(directory, path), 'utf8');
    }
  };
  visit('');
  return found;
}
