import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../../../base/errors.ts';

/** Where the checksums of a manifest lie: beside it, `ruby.lock` for `ruby.yaml`. */
export function lockOf(manifest: string): string {
  return manifest.replace(/\.ya?ml$/, '.lock');
}

/** One line of `sha256sum`. Paths are relative to the folder of the lock. */
export const lockLine = /^([0-9a-f]{64}) [ *](.+)$/;

/**
 * What differs from the lock beside a manifest, each as `file:line: problem`; nothing where there is no lock. `text` is the
 * manifest as it was read, so that what is checked is what is used; `sources` are the other files that the lock must name.
 */
export async function checkLock(
  manifest: string,
  text: string,
  sources: readonly string[],
): Promise<readonly string[]> {
  const lock = lockOf(manifest);
  const lines = await readFile(lock, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    return { problem: `${lock}:1: it cannot be read (${systemCode(error)})` };
  });
  if (lines === undefined) return [];
  if (typeof lines !== 'string') return [lines.problem];
  const problems: string[] = [];
  const unnamed = new Set([manifest, ...sources].map((file) => resolve(file)));
  for (const [index, line] of lines.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, locked, path = ''] = lockLine.exec(line) ?? [];
    const file = resolve(dirname(lock), path);
    unnamed.delete(file);
    const found =
      locked === undefined ? undefined : await hash(file, file === resolve(manifest) ? text : undefined);
    const problem =
      found === undefined
        ? 'it is not a line of sha256sum'
        : found !== locked
          ? `${path} ${/^[0-9a-f]{64}$/.test(found) ? `has the SHA-256 ${found}` : `cannot be read (${found})`}`
          : undefined;
    if (problem !== undefined) problems.push(`${lock}:${index + 1}: ${problem}`);
  }
  for (const file of unnamed) problems.push(`${lock}:1: it does not name ${relative(dirname(lock), file)}`);
  return problems;
}

/** Hexadecimal SHA-256 of the text, or of the file; the system's code where that cannot be read. */
export async function hash(file: string, text?: string): Promise<string> {
  const digest = createHash('sha256');
  if (text !== undefined) return digest.update(text).digest('hex');
  try {
    await pipeline(createReadStream(file), digest);
    return digest.digest('hex');
  } catch (error) {
    return systemCode(error) ?? 'unknown error';
  }
}
