import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import { listPages } from '../../kubernetes/listPages.ts';
import type { KubeObject } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';

export interface LabelLeaderOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly host: string;
  /** The pod that this runs in. */
  readonly pod: string;
  readonly log: Logger;
}

const LEADER = 'runtime.leader';

/**
 * Labels the replica that works, and no other: the Service of the query gateway goes by it, and so may whoever wants a shell there.
 * Resolves with what takes the label off.
 */
export async function labelLeader(
  { client, namespace, host, pod, log }: LabelLeaderOptions,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const pods = resource<KubeObject>(client, { api: 'v1', plural: 'pods', namespace });
  const label = (name: string, value: string | null, until: AbortSignal) =>
    pods
      .patch(name, { metadata: { labels: { [LEADER]: value } } }, until)
      .catch((error: unknown) =>
        log.warn(`the label ${LEADER} of ${name} was not written: ${asRuntimeError(error).message}`),
      );
  const { items } = await listPages(
    pods,
    { labelSelector: `${LEADER}=${host}`, keep: ({ metadata }) => metadata.name },
    signal,
  );
  await label(pod, host, signal);
  for (const name of items) if (name !== pod) await label(name, null, signal);
  return async () => void (await label(pod, null, AbortSignal.timeout(4_000)));
}
