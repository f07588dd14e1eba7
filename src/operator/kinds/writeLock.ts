import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, extname, relative, resolve } from 'node:path';
import { RuntimeError } from '../../base/errors.ts';
import { builtInKinds } from '../../bot/kinds/builtIn.ts';
import { hash, lockLine, lockOf } from '../../bot/kinds/manifest/checkLock.ts';
import { loadManifests } from '../../bot/kinds/manifest/load.ts';

/**
 * Writes the lock of a manifest: of itself, of its sources, of the files that the lock had before, and of `more`. Returns its path. Throws
 * `config` where the manifest is broken or a file cannot be read.
 */
export async function writeLock(manifest: string, more: readonly string[]): Promise<string> {
  if (!['.yaml', '.yml'].includes(extname(manifest))) {
    throw new RuntimeError('usage', `${manifest} is not a manifest`, { hint: 'A manifest is a .yaml file.' });
  }
  const lock = lockOf(manifest);
  const before = await readFile(lock, 'utf8').catch(() => '');
  const known = before.split('\n').flatMap((line) => lockLine.exec(line)?.[2] ?? []);
  const folder = dirname(manifest);
  const { kinds, broken } = await loadManifests([manifest], builtInKinds);
  const sources = [
    ...kinds.flatMap(({ source }) => source.slice(1)),
    ...broken.flatMap((one) => one.sources),
  ];
  const files = new Set([manifest, ...sources, ...known.map((path) => resolve(folder, path)), ...more]);
  const lines = [];
  const problems: string[] = [];
  for (const file of files) {
    const digest = await hash(file);
    if (digest.length === 64) lines.push(`${digest}  ${named(folder, file)}\n`);
    else problems.push(`${file}:1: it cannot be read (${digest})`);
  }
  // The lock itself is about to be right.
  problems.push(
    ...broken.flatMap((one) => one.problems.filter((problem) => !problem.startsWith(`${lock}:`))),
  );
  if (problems.length > 0) throw new RuntimeError('config', 'the manifest cannot be locked:', { problems });
  await writeFile(`${lock}.tmp`, lines.join(''));
  await rename(`${lock}.tmp`, lock);
  return lock;
}

/** Relative where it lies in the folder of the manifest, which may be put elsewhere as a whole. */
function named(folder: string, file: string): string {
  const path = relative(folder, file);
  return path.startsWith('..') ? file : path;
}
