import type { DockerContext } from '../dockerContext.ts';
import type { ContainerDetails } from './container.ts';

/** After this long whoever listens does so, on the busiest machine. Milliseconds. */
const YOUNG_MS = 10_000;
const LOOK_EVERY_MS = 50;
const LOOKS = 40;

/**
 * Waits, for two seconds at most, until a container that has only just been started can be told to stop. The kernel drops a signal
 * to the first process of a container that has not asked for it yet; tini asks some milliseconds after the engine has called the
 * container running. A bot whose SIGTERM is dropped runs on until it is killed, with what it wrote last not saved. tini has a child only
 * after that. An engine that cannot say is not waited for.
 */
export async function untilItListens(
  { client, clock }: Pick<DockerContext, 'client' | 'clock'>,
  { Id, Name, State }: Pick<ContainerDetails, 'Id' | 'Name' | 'State'>,
  signal: AbortSignal,
): Promise<void> {
  if (clock.now() - Date.parse(State.StartedAt) > YOUNG_MS) return;
  const path = `/containers/${Id}/top`;
  const request = { op: 'engine.top', subject: Name.slice(1), method: 'GET', path, signal } as const;
  for (let looks = 0; looks < LOOKS; looks += 1) {
    try {
      const { Processes } = await client.call<Top>({ ...request, query: { ps_args: '-eo pid,ppid' } });
      if (hasChild(Processes)) return;
    } catch {
      signal.throwIfAborted();
      return;
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

interface Top {
  readonly Processes: readonly (readonly string[])[] | null;
}

/** What was put into the container later has its parent outside, like the first process. */
function hasChild(processes: Top['Processes']): boolean {
  const ids = new Set(processes?.map(([id]) => id));
  return processes?.some(([, parent]) => ids.has(parent)) ?? false;
}
