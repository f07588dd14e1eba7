import { RuntimeError } from '../../base/errors.ts';
import type { Engine, ExecProcess } from './engine.ts';

interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface CopyIn {
  /** Absolute path of a folder inside, which is made when it is missing. */
  readonly folder: string;
  /** Whose files they become. Undefined: the instance's own user. */
  readonly user: User | undefined;
  /** A tar stream, not compressed. */
  readonly tar: AsyncIterable<Uint8Array>;
}

export interface CopyOut {
  /** Absolute path inside, of a file or a folder: the tar holds it under its last name. */
  readonly path: string;
  readonly user: User | undefined;
}

/** Bytes of tar's own words that are worth repeating. */
const LONGEST_COMPLAINT = 400;

/**
 * Unpacks a tar inside an instance. It is tar(1) in there that reads and writes, as a user of the instance: a link that a bot has
 * planted leads nowhere but into its own container, a tmpfs is seen, and it is the same on every engine.
 * Errors: `refused` (what tar said), `not-found` and `conflict` (the instance), `unavailable`.
 */
export async function copyIn(
  engine: Engine,
  name: string,
  { folder, user, tar }: CopyIn,
  signal: AbortSignal,
): Promise<void> {
  const script = 'mkdir -p -- "$1" && exec tar -x -f - -C "$1"';
  const argv = ['/bin/sh', '-c', script, 'sh', checked(folder)];
  const process = await engine.exec(name, { argv, env: {}, cwd: '/', user, stdin: true }, signal);
  const complaint = complaintOf(process);
  try {
    for await (const bytes of tar) await process.write(bytes);
    process.end();
  } catch (error) {
    await process.kill('SIGKILL');
    throw error;
  }
  await endedWell(process, await complaint, `${name}:${folder}`);
}

/** A file or a folder of an instance as a tar stream. One that changes meanwhile may be torn. Errors as in `copyIn`. */
export async function* copyOut(
  engine: Engine,
  name: string,
  { path, user }: CopyOut,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const at = checked(path).lastIndexOf('/');
  const [folder, file] = [path.slice(0, at) || '/', path.slice(at + 1)];
  const argv = ['tar', '-c', '-f', '-', '-C', folder, '--', file || '.'];
  const process = await engine.exec(name, { argv, env: {}, cwd: '/', user, stdin: false }, signal);
  let complaint = '';
  let whole = false;
  try {
    for await (const { stream, bytes } of process.output) {
      if (stream === 'stdout') yield bytes;
      else complaint = `${complaint}${Buffer.from(bytes)}`.slice(0, LONGEST_COMPLAINT);
    }
    whole = true;
  } finally {
    if (!whole) await process.kill('SIGKILL').catch(() => undefined);
  }
  await endedWell(process, complaint, `${name}:${path}`);
}

function checked(path: string): string {
  if (path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'))
    return path.replace(/(?<=.)\/+$/, '');
  throw new RuntimeError('refused', `${JSON.stringify(path)} is not an absolute path without ..`);
}

async function complaintOf({ output }: ExecProcess): Promise<string> {
  let text = '';
  for await (const { bytes } of output) text = `${text}${Buffer.from(bytes)}`.slice(0, LONGEST_COMPLAINT);
  return text;
}

async function endedWell(process: ExecProcess, complaint: string, subject: string): Promise<void> {
  const code = await process.exit;
  if (code === 0) return;
  const hint = code === 127 || code === 126 ? 'The image needs tar(1) and /bin/sh.' : undefined;
  throw new RuntimeError('refused', `${subject}: ${complaint.trim() || `tar ended with ${code}`}`, {
    op: 'engine.copy',
    ...(hint !== undefined && { hint }),
  });
}
