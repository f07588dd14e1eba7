import { spawn } from 'node:child_process';
import { closeSync, readlinkSync } from 'node:fs';
import { RuntimeError } from '../base/errors.ts';

/** Where a launcher, or an agent's handler, is spoken to. */
const CHANNEL = 3;

export interface CompanionEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Companion {
  /** How it ended. Rejects where it could not be started. */
  readonly ended: Promise<CompanionEnd>;
}

/**
 * The command that a box runs beside itself, such as an agent: it has our stdin, stdout and stderr, descriptor 3 where we were given
 * one, and is in our process group, as if it had been started in our place. `env` is its whole environment.
 */
export function startCompanion(argv: readonly string[], env: Readonly<Record<string, string>>): Companion {
  const [file = '', ...args] = argv;
  const channel = isChannel() ? [CHANNEL] : [];
  const child = spawn(file, args, { env, stdio: ['inherit', 'inherit', 'inherit', ...channel] });
  // Whoever speaks on it would not learn of its end while we hold it as well.
  for (const fd of channel) closeSync(fd);
  return {
    ended: new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (cause) =>
        reject(new RuntimeError('no-entrypoint', `${file} cannot be started: ${cause.message}`, { cause })),
      );
    }),
  };
}

/** Node opens what it needs for itself from 3 on where nobody has given it one; that is never a socket. */
function isChannel(): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${CHANNEL}`).startsWith('socket:');
  } catch {
    return false;
  }
}
