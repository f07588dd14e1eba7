import { PassThrough, Writable } from 'node:stream';
import type { CommandGroup } from '../../../src/base/command/command.ts';
import { dispatch } from '../../../src/base/command/dispatch.ts';
import { explain } from '../../../src/operator/explain.ts';
import { commands } from '../../../src/programs/commands.ts';

/** Runs a command line in this process: its exit code and what it printed, or what it threw. */
export async function invoke(
  argv: readonly string[],
  {
    root = commands,
    cwd = '/',
    hangup = new AbortController().signal,
    stdout: given,
  }: { root?: CommandGroup; cwd?: string; hangup?: AbortSignal; stdout?: Writable } = {},
) {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const surroundings = {
    env: {},
    cwd,
    stdin: new PassThrough(),
    stdout: given ?? stdout,
    stderr,
    hangup,
    abandonStalled: () => undefined,
  };
  const code = await dispatch(root, argv, surroundings, explain);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
