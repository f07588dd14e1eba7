import { PassThrough, Writable } from 'node:stream';
import type { CommandGroup } from '../../../src/cli/command.ts';
import { commands } from '../../../src/cli/commands.ts';
import { dispatch } from '../../../src/cli/dispatch.ts';

/** Runs a command line in this process: its exit code and what it printed, or what it threw. */
export async function invoke(
  argv: readonly string[],
  { root = commands, cwd = '/' }: { root?: CommandGroup; cwd?: string } = {},
) {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const code = await dispatch(root, argv, {
    env: {},
    cwd,
    stdin: new PassThrough(),
    stdout,
    stderr,
    hangup: new AbortController().signal,
    abandonStalled: () => undefined,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
