import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long others are waited for, milliseconds: whoever has the name for longer holds up nobody for good. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;

/**
 * The folder of the result for one query at a time. A container has one of its own; outside of containers all runtimes of a machine
 * share `/query`, and each would take another one's answer away, or for its own. The lock is a name that only one socket can have
 * (unix(7), abstract): the kernel gives it back when its holder dies, and no file lies where untrusted code may write. Nobody is
 * served on it. `dir` is there. Throws the signal's reason only; where there are no such names, there is no lock.
 */
export async function lockResult(dir: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(dir);
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = await hold(`\0runtime-query-${dev}-${ino}`);
    if (held !== 'taken') return held;
    if (performance.now() > until) return unlocked;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

const unlocked: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };

function hold(name: string): Promise<AsyncDisposable | 'taken'> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? 'taken' : unlocked),
    );
    server.listen(name, () =>
      resolve({ [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())) }),
    );
  });
}
