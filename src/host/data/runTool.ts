import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeError } from '../../base/errors.ts';

const execute = promisify(execFile);
const LONGEST_MS = 60_000;

export interface ToolOptions {
  /** Milliseconds; default a minute. */
  readonly longestMs?: number;
  /** Exit codes above 0 that are no failure, up to this one; default none. */
  readonly good?: number;
}

interface Failed extends Error {
  /** Exit code, or of the system. */
  readonly code?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A program that makes, mounts or mends file systems, of which the last argument is what it is about. Throws `unavailable` with what it said. */
export async function runTool(
  program: string,
  args: readonly string[],
  { longestMs = LONGEST_MS, good = 0 }: ToolOptions = {},
): Promise<void> {
  try {
    await execute(program, args, {
      timeout: longestMs,
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
  } catch (error) {
    const { code, stdout, stderr, message } = error as Failed;
    if (typeof code === 'number' && code <= good) return;
    throw new RuntimeError('unavailable', `${program}: ${(stderr || stdout || message).trim()}`, {
      op: 'disk.hold',
      path: args.at(-1) ?? program,
      hint: 'Disks of sandboxes are mounted by loop devices; --disks watched does without.',
      cause: error,
    });
  }
}
