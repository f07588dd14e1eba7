import { systemClock } from '../../../base/clock.ts';
import { readHead } from '../../../bot/state/read/readHead.ts';
import type { HostApi } from '../../api/hostApi.ts';
import type { Journal } from '../../journal/event.ts';
import type { KubernetesSource } from '../../sources/kubernetes/openKubernetesSource.ts';
import type { ClusterContext } from './clusterContext.ts';
import { keepObjects } from './keepObjects.ts';
import type { Snapshot } from './statusOf.ts';
import { tellCluster } from './tellCluster.ts';

export interface KeepBotsOptions extends ClusterContext {
  readonly source: KubernetesSource;
  /** This replica. */
  readonly instance: string;
  readonly journal: Journal;
}

/** What a host writes on the custom resources: status, finalizers, events. */
export function keepBots({ client, namespace, source, instance, journal, stores, log }: KeepBotsOptions) {
  const objects = keepObjects({ source, snapshot, clock: systemClock, log });
  const tell = tellCluster({ client, namespace, source, clock: systemClock, log, instance });

  async function snapshot(bot: string, signal: AbortSignal): Promise<Snapshot | undefined> {
    const store = await stores.state();
    const found = await readHead({ store, bot, clock: systemClock, warn: () => undefined }, signal);
    const newest = found?.head.snapshots.at(-1);
    return newest && { sequence: newest.sequence, generation: newest.generation, time: newest.createdAt };
  }

  return {
    forgetting: objects.forgetting,
    run: async (api: HostApi, signal: AbortSignal): Promise<void> => {
      const end = journal.subscribe((event) => {
        objects.event(event);
        tell(event, signal);
      });
      await objects.run(api, signal).finally(end);
    },
  };
}
