import type { Sandbox, Sandboxes, SandboxStatus } from '../../../host/sandboxes/sandboxes.ts';

/** Clients give up after 30 s without an answer; what takes longer they see by asking again. */
const PATIENCE_MS = 20_000;

/** Where a stop, and where a start, has come to its end. */
export const ENDED: readonly SandboxStatus[] = ['stopped', 'failed', 'expired'];
export const STARTED: readonly SandboxStatus[] = ['running', 'failed', 'expired'];

/** Until it has one of these statuses, or for as long as a client waits: then as it is. Rejects when it is gone. */
export async function settled(
  sandboxes: Pick<Sandboxes, 'until' | 'find'>,
  { id }: Sandbox,
  statuses: readonly SandboxStatus[],
  gone: AbortSignal,
): Promise<Sandbox> {
  const signal = AbortSignal.any([gone, AbortSignal.timeout(PATIENCE_MS)]);
  return await sandboxes.until(id, statuses, signal).catch((error: unknown) => {
    const now = sandboxes.find(id);
    if (now === undefined || !signal.aborted) throw error;
    return now;
  });
}
