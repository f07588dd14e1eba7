// On the way to a bot's start, where the threads of `node:fs/promises` cost 2 ms.
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { elfProblem } from './elfProblem.ts';
import { foreignProblem } from './foreignProblem.ts';
import { interpreterProblem } from './interpreterProblem.ts';
import { shebangProblem } from './shebangProblem.ts';

/** Every user's read and execute bits: the bot may run as another user than the archive was made for. */
const EXECUTABLE = 0o555;
/** Enough for an ELF header, its program headers and the loader's name, which linkers put first. */
const HEAD_BYTES = 4096;

/**
 * Makes the file executable whatever modes its archive gave it (set-user-id is dropped), and makes sure that the
 * system can run it in `cwd`; throws `not-executable` with the reason as a hint.
 */
export function makeExecutable(path: string, cwd: string): void {
  const { mode } = statSync(path);
  const wanted = (mode & 0o777) | EXECUTABLE;
  if ((mode & 0o7777) !== wanted) {
    try {
      chmodSync(path, wanted);
    } catch (error) {
      // Not ours, or a read-only mount: whether it can be run all the same is found out below.
      if (!['EPERM', 'EROFS'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  checkFormat(path, cwd);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw notExecutable(path, accessProblem(path), cause);
  }
}

/** Throws `not-executable` for a file that this system cannot run in `cwd`, whatever its mode. */
export function checkFormat(path: string, cwd: string): void {
  const problem = formatProblem(path, cwd);
  if (problem !== undefined) throw notExecutable(path, problem);
}

/**
 * Throws `not-executable` for a file that is not executable and that `makeExecutable` could not make so, and touches nothing.
 * `isOurs`: whether we may change the modes of a file of that user; `isRunnable`: whether the bot may execute the file as it is.
 */
export function checkMode(path: string, isOurs: (uid: number) => boolean, isRunnable: boolean): void {
  if (isRunnable) return;
  const isFixed = ['ro', 'noexec'].some((option) => mountOf(path, mounts())?.options.includes(option));
  if (isFixed || !isOurs(statSync(path).uid)) throw notExecutable(path, accessProblem(path));
}

function notExecutable(path: string, hint: string, cause?: unknown): RuntimeError {
  return new RuntimeError('not-executable', `${path} cannot be run by this system`, { path, hint, cause });
}

function formatProblem(path: string, cwd: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // One that may only be executed can be run, and is not ours to judge.
    if (systemCode(error) === 'EACCES') return undefined;
    throw error;
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const bytesRead = readSync(descriptor, head, 0, head.length, 0);
    const begins = (text: string) => head.toString('latin1', 0, text.length) === text;
    if (begins('#!')) return shebangProblem(head.toString('utf8', 0, bytesRead), cwd);
    if (!begins('\x7fELF')) return foreignProblem(head.subarray(0, bytesRead));
    const loaderProblem = (loader: string) =>
      interpreterProblem('It was linked for a system with a loader', resolve(cwd, loader));
    return elfProblem({ descriptor, head, size: fstatSync(descriptor).size }, loaderProblem);
  } finally {
    closeSync(descriptor);
  }
}

function accessProblem(path: string): string {
  const mount = mountOf(path, mounts());
  if (mount?.options.includes('noexec')) {
    return `${mount.point} is mounted noexec. With Docker, mount it as --tmpfs ${mount.point}:exec`;
  }
  return 'It is not executable and its mode could not be changed: chmod +x it, or give it to the user that runs this.';
}

function mounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

/** The innermost mount that holds the path, from the text of `/proc/self/mountinfo`. */
export function mountOf(path: string, mountinfo: string): { point: string; options: string[] } | undefined {
  let found: { point: string; options: string[] } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [, , , , escaped, options] = line.split(' ');
    if (escaped === undefined || options === undefined) continue;
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    // Later mounts cover earlier ones at the same point.
    if (holds && point.length >= (found?.point.length ?? 0)) found = { point, options: options.split(',') };
  }
  return found;
}
