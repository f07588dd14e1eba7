import { isatty } from 'node:tty';
import { asRuntimeError } from '../errors.ts';
import type { CommandGroup } from './command.ts';
import { describeError } from './describeError.ts';
import { dispatch } from './dispatch.ts';
import { type Explain, HandOver } from './explain.ts';
import { processSurroundings } from './processSurroundings.ts';

/**
 * The command line of `process` under `commands`, from start to exit code: the only place where an error becomes one.
 * Undefined: nothing has happened, and a program that explains has to take over.
 */
export async function runProgram(
  process: NodeJS.Process,
  commands: CommandGroup,
  explain: Explain | undefined,
): Promise<number | undefined> {
  const { surroundings, flush } = processSurroundings(process);
  // Node itself would print the error with all its properties, which may hold a secret, and exit with 1.
  const defect = Promise.withResolvers<never>();
  process.once('uncaughtException', defect.reject);
  // In a single executable argv[1] repeats the executable, where under Node it is the script.
  const [first, ...rest] = process.argv.slice(2);
  const argv = first === '--version' ? ['version', ...rest] : process.argv.slice(2);
  try {
    const code = await Promise.race([dispatch(commands, argv, surroundings, explain), defect.promise]);
    // What was not written is a defect as well, told only now.
    await Promise.race([flush(), defect.promise]);
    return code;
  } catch (error) {
    if (error instanceof HandOver) {
      process.off('uncaughtException', defect.reject);
      return undefined;
    }
    const env = { ...process.env, LOG_FORMAT: logFormat(process) };
    surroundings.stderr.write(describeError(error, env, Date.now));
    return asRuntimeError(error).exitCode;
  } finally {
    await flush();
  }
}

/** As the roles of a container log: what reads their stderr gets one format. Commands speak to people, or to scripts. */
function logFormat({ argv, env }: NodeJS.Process): string {
  const isRole = ['execute', 'daemon'].includes(argv[2] ?? '');
  return env.LOG_FORMAT || (isRole && !isatty(2) ? 'json' : 'text');
}
