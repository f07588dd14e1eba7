import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../..');

/** Runs a program of `test/fixtures` under a Python that has a package of PyPI (`minio==7.2.20`), with JSON on its stdin; its stdout. */
export async function pythonWith(requirement: string, fixture: string, input: unknown): Promise<string> {
  const python = execFileSync(join(root, 'scripts/python-with'), [requirement], { encoding: 'utf8' }).trim();
  const running = promisify(execFile)(python, [join(root, 'test/fixtures', fixture)]);
  running.child.stdin?.end(JSON.stringify(input));
  return (await running).stdout;
}
