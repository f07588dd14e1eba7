import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Self } from '../../process/roleProcess.ts';

/**
 * The room of the one process that outlives a supervisor that is killed (docs/architecture.md, "Why a shell guards the bot"). It
 * knows nothing but process groups: the bot's, and that of the query program.
 */

/**
 * Reads until we are gone, however we went, and knows the groups of the last line. They stand still until all of their
 * processes are found, which takes the start of a Node process: nobody dies meanwhile and leaves orphans that
 * cannot be told from others. A shell, because it costs 0.1 MiB while it waits.
 */
const WAIT = `
while read -r next; do
  case $next in
    /*) if mkfifo -m 666 "$next/stdout" "$next/stderr"; then echo made; else echo failed; fi ;;
    *) groups=$next ;;
  esac
done
exec >/dev/null
[ -n "$groups" ] || exit 0
for group in $groups; do kill -STOP "-$group"; done
exec "$@" $groups`;

/** What `mkfifo` needs to be found. */
const PATH = '/usr/bin:/bin';

/** One that was killed is there again after this long, milliseconds. */
const RESTART_MS = 1000;

/**
 * Ends process groups when we die, whatever else has died: a process of our own user that holds one end of a socket. The
 * other end is ours alone (close-on-exec), so the kernel closes it with us.
 */
export interface Guard {
  readonly pid: number | undefined;
  add(group: number | undefined): void;
  remove(group: number | undefined): void;
  /**
   * Makes two FIFOs in this folder, `stdout` and `stderr`, open to every user: a process for that alone would cost another fork of ours.
   * Resolves with whether they are there; never rejects. To be called once.
   */
  makeFifos(folder: string): Promise<boolean>;
  /** Nothing is guarded any more. */
  close(): void;
}

/** Without a shell in the image there is no guard: tini then is all that ends the bot. */
export function startGuard(self: Self): Guard {
  const groups = new Set<number>();
  const made = Promise.withResolvers<boolean>();
  let closed = false;
  let child: ChildProcess;

  const tell = () => void (child.stdin as Socket).write(`${[...groups].join(' ')}\n`);
  const start = () => {
    child = spawn('/bin/sh', ['-c', WAIT, 'sh', self.file, ...self.args, 'end-groups'], {
      cwd: '/',
      env: { PATH },
      stdio: ['pipe', 'pipe', 'ignore'],
      // Ctrl-C at the terminal is not for it.
      detached: true,
    });
    const stdin = child.stdin as Socket;
    // One that is gone is told by `exit`.
    stdin.on('error', () => undefined);
    stdin.unref();
    const stdout = child.stdout as Socket;
    stdout.on('data', (answer: Buffer) => {
      made.resolve(answer.toString().startsWith('made'));
      stdout.destroy();
    });
    stdout.on('close', () => made.resolve(false));
    stdout.unref();
    child.unref();
    child.on('error', () => made.resolve(false));
    child.once('exit', () => {
      if (!closed) setTimeout(start, RESTART_MS).unref();
    });
    tell();
  };

  start();
  return {
    get pid() {
      return child.pid;
    },
    add: (group) => {
      if (group !== undefined) groups.add(group);
      tell();
    },
    remove: (group) => {
      if (group !== undefined && groups.delete(group)) tell();
    },
    makeFifos: async (folder) => {
      // A line is all that the shell reads, and what does not begin so is groups.
      if (!/^\/[^\n]*$/.test(folder)) return false;
      const stdout = child.stdout as Socket;
      stdout.ref();
      (child.stdin as Socket).write(`${folder}\n`);
      return await made.promise;
    },
    close: () => {
      if (closed) return;
      closed = true;
      groups.clear();
      tell();
      child.stdin?.end();
    },
  };
}
