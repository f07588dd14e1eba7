import { accessSync, constants, statSync } from 'node:fs';

/** Why the system cannot start what runs a program: `what` introduces it, `interpreter` is its absolute path. */
export function interpreterProblem(what: string, interpreter: string): string | undefined {
  const problem = problemOf(interpreter);
  return problem === undefined ? undefined : `${what} that is ${problem}: ${interpreter}`;
}

function problemOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'not here';
    if (!found.isFile()) return found.isDirectory() ? 'a folder' : 'not a file';
  } catch {
    return 'out of reach';
  }
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return 'not executable';
  }
}
