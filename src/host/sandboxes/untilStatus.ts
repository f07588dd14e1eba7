import type { Sandbox, SandboxStatus } from './sandboxes.ts';

export interface Watched {
  /** Throws `not-found`. */
  readonly find: () => Sandbox;
  readonly changes: (listener: () => void) => () => void;
}

/** Resolves with a sandbox once it has one of these statuses; rejects when it is gone, or with the signal's reason. */
export function untilStatus(
  { find, changes }: Watched,
  statuses: readonly SandboxStatus[],
  signal: AbortSignal,
): Promise<Sandbox> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = () => {
      stop();
      signal.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(signal.reason as Error);
    };
    const look = () => {
      try {
        const sandbox = find();
        if (!statuses.includes(sandbox.status)) return;
        end();
        resolve(sandbox);
      } catch (error) {
        end();
        reject(error as Error);
      }
    };
    const stop = changes(look);
    signal.addEventListener('abort', abort, { once: true });
    look();
  });
}
