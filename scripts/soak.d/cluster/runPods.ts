import { systemClock } from '../../../src/base/clock.ts';
import { follow } from '../../../src/host/kubernetes/follow.ts';
import type { KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import type { KubeObject } from '../../../src/host/kubernetes/objects.ts';
import { resource } from '../../../src/host/kubernetes/resource.ts';

export interface RunPod {
  readonly uid: string;
  readonly bot: string;
  /** The time that it is the run of, milliseconds. */
  readonly time: number;
  readonly phase: string;
}

export interface RunPods extends AsyncDisposable {
  /** Every pod of a run that there has been, as it was seen last. */
  readonly seen: ReadonlyMap<string, RunPod>;
}

interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

/** Remembers the pods of runs by a watch of its own, which no trouble of the hosts reaches. */
export function watchRunPods(client: KubeClient, namespace: string): RunPods {
  const seen = new Map<string, RunPod>();
  const over = new AbortController();
  const put = (pod: RunPod) => void seen.set(pod.uid, pod);
  const following = follow<Pod, RunPod>(
    resource<Pod>(client, { api: 'v1', plural: 'pods', namespace }),
    {
      clock: systemClock,
      random: Math.random,
      labelSelector: 'runtime.role=run',
      keep: ({ metadata, status }) => ({
        uid: metadata.uid!,
        bot: metadata.annotations?.['runtime/bot'] ?? '',
        time: Number(metadata.annotations?.['runtime/run']),
        phase: status?.phase ?? '',
      }),
      listed: (items) => items.forEach(put),
      changed: put,
      gone: put,
      lost: () => undefined,
    },
    over.signal,
  );
  return {
    seen,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await following;
    },
  };
}
