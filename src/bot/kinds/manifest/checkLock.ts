import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
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
 * manifest as it was read, so that what is checked is what is used.
 */
export async function checkLock(manifest: string, text: string): Promise<readonly string[]> {
  const lock = lockOf(manifest);
  const lines = await readFile(lock, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    return { problem: `${lock}:1: it cannot be read (${systemCode(error)})` };
  });
  if (lines === undefined) return [];
  if (typeof lines !== 'string') return [lines.problem];
  const problems: string[] = [];
  let named = false;
  for (const [index, line] of lines.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, locked, path = ''] = lockLine.exec(line) ?? [];
    const file = resolve(dirname(lock), path);
    named ||= file === resolve(manifest);
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
  if (!named) problems.push(`${lock}:1: it does not name ${basename(manifest)}`);
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
