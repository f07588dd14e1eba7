import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One argument of a program has 128 KiB, its end included (execve(2), MAX_ARG_STRLEN). */
const MOST_AS_ARGUMENT_BYTES = 100 * 1024;

/** What to run. */
export interface ShellWords {
  readonly argv: readonly string[];
  /** A descriptor that the command has as its descriptor 3; whoever starts it closes ours. */
  readonly script?: number;
}

/** A command of any length as a shell takes it: as a word, or where it is too long for one as a file. */
export function shellWords(shell: string, command: string): ShellWords {
  if (Buffer.byteLength(command) <= MOST_AS_ARGUMENT_BYTES) return { argv: [shell, '-c', command] };
  // The shell opens it once more, so it needs ours no longer; on the same line, so that lines keep their numbers.
  return fileWords([shell], `exec 3<&-; ${command}`);
}

/** What reads its program from a file gets one of which only the descriptor is left. */
export function fileWords(argv: readonly string[], text: string): ShellWords {
  const folder = mkdtempSync(join(tmpdir(), '.runtime-command-'));
  try {
    const path = join(folder, 'command');
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
    return { argv: [...argv, '/dev/fd/3'], script: openSync(path, 'r') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
