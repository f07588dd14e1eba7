import { systemClock } from '../../../base/clock.ts';
import { openStores } from '../../../store/openStores.ts';
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
  const { run, client, namespace, stores, log, closing } = context;
  const { options, config, env, cwd } = run;
  if (/^kubernetes:/.test(options.bots)) {
    const kubernetes = openKubernetesSource({
      client,
      namespace,
      clock: systemClock,
      random: Math.random,
      canSave: async (_, signal) => void (await (await stores.open('state', 0)).now({ signal })),
    });
    return { source: kubernetes, kubernetes };
  }
  const bucket = async (name: string) => {
    const one = openStores(
      { ...config, buckets: { ...config.buckets, code: name } },
      { clock: systemClock, random: Math.random },
    );
    closing.defer(() => one.close());
    return await one.open('code', 0);
  };
  const code = () => stores.open('code', 0);
  const source = await openSource(options.bots, { cwd, env, clock: systemClock, log, code, bucket });
  return { source, kubernetes: undefined };
}
