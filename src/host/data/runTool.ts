import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeError } from '../../base/errors.ts';

const execute = promisify(execFile);
const LONGEST_MS = 60_000;

/** A program that makes, mounts or mends file systems, of which the last argument is what it is about. Throws `unavailable` with what it said. */
export async function runTool(program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, args, {
      timeout: LONGEST_MS,
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    throw new RuntimeError('unavailable', `${program}: ${(stderr || message).trim()}`, {
      op: 'disk.hold',
      path: args.at(-1) ?? program,
      hint: 'Disks of sandboxes are mounted by loop devices; --disks watched does without.',
      cause: error,
    });
  }
}
