import { join } from 'node:path';
import { controlText } from '../control.ts';
import type { Launch, LaunchRequest } from '../kind.ts';
import { pythonBootstrap, pythonProgram } from './program.ts';

/** The files that every Python kind shares. */
export const pythonSources: readonly string[] = ['pythonLaunch', 'program', 'callMain', 'findMain'].map(
  (name) => `src/bot/kinds/python/${name}.ts`,
);

export interface PythonEntrypoint {
  readonly type: 'file' | 'function' | 'code';
  /** The file relative to the code path, `pkg.mod:fn`, or the code. */
  readonly name: string;
  /** What `ps` shows behind the interpreter. */
  readonly title: string;
  readonly argv: readonly string[];
}

/** How every Python kind starts; see the launcher for what happens then. */
export function pythonLaunch(request: LaunchRequest, entrypoint: PythonEntrypoint): Launch {
  const files = (list: readonly { id: string; path: string }[]) =>
    list.map(({ id, path }) => [id, join(request.codePath, path)]);
  const settings = {
    type: entrypoint.type,
    name: entrypoint.name,
    argv: entrypoint.argv,
    code: request.codePath,
    task: request.task.name,
    inputs: files(request.task.inputs),
    outputs: files(request.task.outputs),
  };
  return {
    argv: ['python3.11', '-c', pythonBootstrap, entrypoint.title],
    // Empty is unset to the interpreter. The launcher sets the real one when the code is there.
    env: { PYTHONPATH: '' },
    // The interpreter would import from its directory; the launcher goes to the code path when it may.
    cwd: '/',
    // JSON of strings and lists reads as Python.
    control: controlText(`launch = ${JSON.stringify(settings)}\n${pythonProgram}`),
  };
}
