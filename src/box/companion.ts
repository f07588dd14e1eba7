import { spawn } from 'node:child_process';
import { closeSync, readlinkSync } from 'node:fs';
import { RuntimeError } from '../base/errors.ts';
import type { CommandEnd } from './commands/commandEnd.ts';

/** Where a launcher, or an agent's handler, is spoken to. */
const CHANNEL = 3;

export interface Companion {
  /** Never rejects. */
  readonly ended: Promise<CommandEnd>;
}

/**
 * The command that a box runs beside itself, such as an agent: it has our stdin, stdout and stderr, descriptor 3 where we were given
 * one, and is in our process group, as if it had been started in our place. `env` is its whole environment. Throws `no-entrypoint`.
 */
export async function startCompanion(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Companion> {
  const [file = '', ...args] = argv;
  const channel = isChannel() ? [CHANNEL] : [];
  const child = spawn(file, args, { env, stdio: ['inherit', 'inherit', 'inherit', ...channel] });
  // Whoever speaks on it would not learn of its end while we hold it as well.
  for (const fd of channel) closeSync(fd);
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (cause) =>
      reject(new RuntimeError('no-entrypoint', `${file} cannot be started: ${cause.message}`, { cause })),
    );
  });
  return { ended };
}

/** Node opens what it needs for itself from 3 on where nobody has given it one; that is never a socket. */
function isChannel(): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${CHANNEL}`).startsWith('socket:');
  } catch {
    return false;
  }
}
