// On the way to a bot's start, where the threads of `node:fs/promises` cost 2 ms.
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { RuntimeError, systemCode } from '../../base/errors.ts';

/** Every user's read and execute bits: the bot may run as another user than the archive was made for. */
const EXECUTABLE = 0o555;
/** Enough for an ELF header, its program headers and the loader's name, which linkers put first. */
const HEAD_BYTES = 4096;

/**
 * Makes the file executable whatever modes its archive gave it (set-user-id is dropped), and makes sure that the
 * system can run it; throws `not-executable` with the reason as a hint.
 */
export function makeExecutable(path: string): void {
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
  checkFormat(path);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw notExecutable(path, accessProblem(path), cause);
  }
}

/** Throws `not-executable` for a file that this system cannot run, whatever its mode. */
export function checkFormat(path: string): void {
  const problem = formatProblem(path);
  if (problem !== undefined) throw notExecutable(path, problem);
}

function notExecutable(path: string, hint: string, cause?: unknown): RuntimeError {
  return new RuntimeError('not-executable', `${path} cannot be run by this system`, { path, hint, cause });
}

function formatProblem(path: string): string | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let bytesRead: number;
  try {
    bytesRead = readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString('latin1', 0, 2) === '#!') {
    const text = head.toString('utf8', 2, bytesRead);
    // To the kernel it is a part of the word before it.
    if (/^[ \t]*(\S*\/env[ \t]+)?\S+\r/.test(text)) {
      return 'Its first line ends with a carriage return: save it with LF line ends, not CR LF.';
    }
    const interpreter = text.trimStart().split(/\s/, 1)[0] ?? '';
    return interpreterProblem('Its first line names an interpreter', interpreter);
  }
  if (head.toString('latin1', 0, 4) !== '\x7fELF') {
    return 'It is neither an ELF program nor a script beginning with "#!". Name the built program as the entrypoint.';
  }
  const loader = loaderOf(head);
  return (
    architectureProblem(head) ??
    (loader === undefined
      ? undefined
      : interpreterProblem('It was linked for a system with a loader', loader))
  );
}

function interpreterProblem(what: string, interpreter: string): string | undefined {
  try {
    accessSync(interpreter, constants.X_OK);
    return undefined;
  } catch {
    return `${what} that is not here: ${interpreter}`;
  }
}

/** The dynamic loader that a 64-bit little-endian ELF file asks for (`PT_INTERP`); a static one asks for none. */
function loaderOf(head: Buffer): string | undefined {
  if (head[4] !== 2 || head[5] !== 1) return undefined;
  const table = Number(head.readBigUInt64LE(32));
  const entryBytes = head.readUInt16LE(54);
  for (let index = 0; index < head.readUInt16LE(56); index++) {
    const at = table + index * entryBytes;
    if (at + 56 > head.length) return undefined;
    if (head.readUInt32LE(at) !== 3) continue;
    const start = Number(head.readBigUInt64LE(at + 8));
    const end = start + Number(head.readBigUInt64LE(at + 32));
    return end <= head.length ? head.toString('utf8', start, end - 1) : undefined;
  }
  return undefined;
}

/** `e_machine` numbers that each of our architectures runs. */
const machines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183] };
const machineNames: Readonly<Record<number, string>> = {
  3: 'x86 (32 bits)',
  40: 'arm (32 bits)',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
};

function architectureProblem(head: Buffer): string | undefined {
  const bigEndian = head[5] === 2;
  const machine = bigEndian ? head.readUInt16BE(18) : head.readUInt16LE(18);
  if (machines[process.arch]?.includes(machine) ?? true) return undefined;
  const name = machineNames[machine] ?? `machine ${machine}`;
  return `It was built for ${name}, and this system is ${process.arch}. Build it for ${process.arch}.`;
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
