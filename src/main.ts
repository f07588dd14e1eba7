import { isatty } from 'node:tty';
import { commands } from './cli/commands.ts';
import { dispatch } from './cli/dispatch.ts';
import { processSurroundings } from './cli/processSurroundings.ts';
import { asRuntimeError } from './errors.ts';

const { surroundings, flush } = processSurroundings(process);

// Without a listener Node opens a debugger (see processSelf.ts). The supervisor passes the signal on to the bot.
process.on('SIGUSR1', () => undefined);

async function main(): Promise<number> {
  // In a single executable argv[1] repeats the executable, where under Node it is the script.
  const [first, ...rest] = process.argv.slice(2);
  const argv = first === '--version' ? ['version', ...rest] : process.argv.slice(2);
  return dispatch(commands, argv, surroundings);
}

async function fail(error: unknown): Promise<number> {
  const { describeError } = await import('./cli/describeError.ts');
  surroundings.stderr.write(describeError(error, { ...process.env, LOG_FORMAT: logFormat() }, Date.now));
  return asRuntimeError(error).exitCode;
}

/** As the roles of a container log: what reads their stderr gets one format. Commands speak to people, or to scripts. */
function logFormat(): string {
  const isRole = ['execute', 'daemon'].includes(process.argv[2] ?? '');
  return process.env.LOG_FORMAT || (isRole && !isatty(2) ? 'json' : 'text');
}

async function exit(code: number): Promise<never> {
  await flush();
  // Not left to an empty event loop: a connection that is kept alive would hold the container open.
  process.exit(code);
}

// Node itself would print the error with all its properties, which may hold a secret, and exit with 1.
const defect = new Promise<never>((_, reject) => process.once('uncaughtException', reject));

void Promise.race([main(), defect]).catch(fail).then(exit);
