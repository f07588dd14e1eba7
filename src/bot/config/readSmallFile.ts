import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { systemCode } from '../../base/errors.ts';

/** Bytes. The kernel passes no environment variable longer than 128 KiB, name and end included. */
const longest = 128 * 1024 - 64;

/** A file's text that fits into one environment variable; what is wrong with it goes to `problems`. */
export function readSmallFile(path: string, problems: string[]): string | undefined {
  const file = basename(path);
  try {
    const stat = statSync(path);
    if (!stat.isFile()) {
      // Reading a pipe would wait for its writer.
      problems.push(`${file} is not a regular file`);
      return undefined;
    }
    const { size } = stat;
    if (size <= longest) return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
    problems.push(`${file} has ${size} bytes, expected at most ${longest}`);
  } catch (error) {
    problems.push(`${file} cannot be read (${systemCode(error) ?? 'unknown error'})`);
  }
  return undefined;
}
