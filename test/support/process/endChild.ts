import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Sends the signal unless it has ended. Resolves once it has, with its exit code; null: a signal has ended it, or there is none. */
export async function endChild(
  child: ChildProcess | undefined,
  signal: NodeJS.Signals,
): Promise<number | null> {
  if (child === undefined) return null;
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}
