import type { ExecRequest } from '../engine.ts';
import type { DockerContext } from './dockerContext.ts';

/** The variable that a program and all its descendants carry. */
export const MARK = 'RUNTIME_EXEC';

/** Milliseconds. */
const KILL_MS = 10_000;

export interface Kill {
  readonly mark: string;
  readonly which: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  readonly user: ExecRequest['user'];
}

/** Nothing but what a shell has built in: an image without any other program will do. SIGKILL looks again, for what forked meanwhile. */
const script = `
for round in 1 2 3; do
  found=
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/}
    [ "$pid" = $$ ] && continue
    marked=
    { while IFS= read -r line || [ -n "$line" ]; do
      case $line in *"$1"*) marked=1; break ;; esac
    done <"$dir/environ"; } 2>/dev/null
    [ -n "$marked" ] && kill -s "$2" "$pid" 2>/dev/null && found=1
  done
  [ "$2" = KILL ] && [ -n "$found" ] || break
done
exit 0`;

/** Signals everything in the container that carries the mark, and resolves when that is done. */
export async function killMarked(
  { client }: DockerContext,
  container: string,
  { mark, which, user }: Kill,
): Promise<void> {
  const call = { op: 'engine.exec', subject: container.slice(0, 12), method: 'POST' } as const;
  const signal = AbortSignal.timeout(KILL_MS);
  const { Id } = await client.call<{ readonly Id: string }>({
    ...call,
    path: `/containers/${container}/exec`,
    body: {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: ['/bin/sh', '-c', script, 'sh', mark, which.slice(3)],
      ...(user && { User: `${user.uid}:${user.gid}` }),
    },
    signal,
  });
  const socket = await client.hijack({
    ...call,
    path: `/exec/${Id}/start`,
    body: { Detach: false, Tty: false },
    signal,
  });
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  // Its end is the end of the shell.
  for await (const _ of socket);
}
