import { isRuntimeError } from '../../../../base/errors.ts';
import type { Instance } from '../../engine.ts';
import type { DockerContext } from '../dockerContext.ts';
import type { ContainerDetails, ContainerSummary } from './container.ts';
import { hostLabel } from './labels.ts';
import { stateOf, toInstance } from './toInstance.ts';

/** How many containers are looked at at the same time. */
const AT_ONCE = 8;

export interface ContainerList {
  /** Every instance of this host, whole or not at all. */
  instances(signal: AbortSignal): Promise<readonly Instance[]>;
}

/**
 * The engine's own listing says neither when a container started nor how it ended, so each is looked at, once in each of its
 * states: it runs once, so what was true of a state stays true.
 */
export function createContainerList(
  context: DockerContext,
  seen: (summaries: readonly ContainerSummary[]) => void,
): ContainerList {
  const { client } = context;
  let known = new Map<string, Instance>();

  const lookAt = async (summary: ContainerSummary, signal: AbortSignal): Promise<Instance | undefined> => {
    const before = known.get(summary.Id);
    const name = summary.Names?.[0]?.replace(/^\//, '') ?? '';
    if (before && before.state === stateOf(summary.State) && before.state !== 'created')
      return before.name === name ? before : { ...before, name };
    const path = `/containers/${summary.Id}/json`;
    try {
      const request = { op: 'engine.list', subject: name, method: 'GET', path, signal } as const;
      return toInstance(await client.call<ContainerDetails>(request), context);
    } catch (error) {
      // Removed since it was listed.
      if (isRuntimeError(error, 'not-found')) return undefined;
      throw error;
    }
  };

  return {
    async instances(signal) {
      const summaries = await listSummaries(context, signal);
      seen(summaries);
      const found: (Instance | undefined)[] = [];
      const queue = summaries.entries();
      const worker = async () => {
        for (const [index, summary] of queue) found[index] = await lookAt(summary, signal);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const instances = found.filter((instance) => instance !== undefined);
      known = new Map(instances.map((instance) => [instance.id, instance]));
      return instances;
    },
  };
}

function listSummaries(
  { client, host }: DockerContext,
  signal: AbortSignal,
): Promise<readonly ContainerSummary[]> {
  return client.call<readonly ContainerSummary[]>({
    op: 'engine.list',
    subject: 'containers',
    method: 'GET',
    path: '/containers/json',
    query: { all: '1', filters: JSON.stringify({ label: [`${hostLabel}=${host}`] }) },
    signal,
  });
}
