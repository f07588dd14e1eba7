import { controlText } from '../control.ts';
import type { Launch, LaunchRequest } from '../kind.ts';
import { launchArgs } from '../task/launchArgs.ts';
import { launchTask } from '../task/launchTask.ts';

/** The files that every Python kind shares. */
export const pythonSources: readonly string[] = [
  'pythonLaunch.ts',
  'bootstrap.py',
  'launcher.py',
  'call_main.py',
  'find_main.py',
  'task.py',
  'agent.py',
].map((name) => `src/bot/kinds/python/${name}`);

export interface PythonEntrypoint {
  readonly type: 'file' | 'function' | 'code';
  /** The file relative to the code path, `pkg.mod:fn`, or the code. */
  readonly name: string;
  /** What `ps` shows after the interpreter, and `sys.argv[0]`. */
  readonly title: string;
  readonly argv0: string;
}

/** How every Python kind starts; see the launcher for what happens then. */
export async function pythonLaunch(request: LaunchRequest, entrypoint: PythonEntrypoint): Promise<Launch> {
  const { pythonBootstrap, pythonProgram } = await import('../parts/pythonProgram.ts');
  const program = request.answersMessages
    ? (await import('../parts/pythonAgent.ts')).pythonAgentProgram
    : pythonProgram;
  const settings = {
    type: entrypoint.type,
    name: entrypoint.name,
    argv: [entrypoint.argv0, ...launchArgs(request)],
    code: request.codePath,
    messages: request.answersMessages ? 'yes' : '',
    ...launchTask(request),
  };
  return {
    argv: ['python3.11', '-c', pythonBootstrap, entrypoint.title],
    // Empty is unset to the interpreter. The launcher sets the real one when the code is there.
    env: { PYTHONPATH: '' },
    // The interpreter would import from its directory; the launcher goes to the code path when it may.
    cwd: '/',
    // JSON of strings and lists reads as Python.
    control: controlText(`launch = ${JSON.stringify(settings)}\n${program}`),
    ...(request.answersMessages && { channel: 'control' as const }),
  };
}
