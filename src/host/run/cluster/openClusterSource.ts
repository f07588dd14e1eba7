import { systemClock } from '../../../base/clock.ts';
import {
  type KubernetesSource,
  openKubernetesSource,
} from '../../sources/kubernetes/openKubernetesSource.ts';
import type { Source } from '../../sources/source.ts';
import { openSource } from '../openSource.ts';
import type { ClusterContext } from './clusterContext.ts';

export interface ClusterSource {
  readonly source: Source;
  /** The same, where it is the custom resource. */
  readonly kubernetes: KubernetesSource | undefined;
}

/** The source that `--bots` names, for a host in a cluster. */
export async function openClusterSource(context: ClusterContext): Promise<ClusterSource> {
  const { run, client, namespace, stores, log } = context;
  const { options, env, cwd } = run;
  if (/^kubernetes:/.test(options.bots)) {
    const kubernetes = openKubernetesSource({
      client,
      namespace,
      clock: systemClock,
      random: Math.random,
      canSave: async (_, signal) => void (await (await stores.state()).now({ signal })),
    });
    return { source: kubernetes, kubernetes };
  }
  const source = await openSource(options.bots, { ...stores, cwd, env, clock: systemClock, log });
  return { source, kubernetes: undefined };
}
