import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { KubeObject, SecretObject } from '../../kubernetes/objects.ts';
import { resource } from '../../kubernetes/resource.ts';
import type { Engine } from '../engine.ts';
import { clusterCapacity } from './clusterCapacity.ts';
import { createPod } from './createPod.ts';
import { dialPod } from './dialPod.ts';
import { findPod, isTaken } from './findPod.ts';
import { followPods } from './followPods.ts';
import { instanceNow } from './instanceNow.ts';
import type { KubeContext } from './kubeContext.ts';
import { lifeOfPods } from './lifeOfPods.ts';
import type { Pod } from './pods/pod.ts';
import type { PodOptions } from './pods/podOptions.ts';
import { createPodStore } from './pods/podStore.ts';
import { readPodLogs } from './readPodLogs.ts';
import { replaceFiles } from './replaceFiles.ts';

/**
 * The driver for a cluster: an instance is a Pod.
 *
 *   1. `followPods`   one list, then a watch: what is known of our pods is here (`podStore`), a tenth of what they are (`seenPod`)
 *   2. `createPod`    a Secret, and the pod (`podBody`), which is not scheduled before it is started: an instance runs once
 *   3. `lifeOfPods`   start, stop, kill, remove; a pod whose end matters stays until the host has let it go
 *   4. `replaceFiles` keys that are renewed; `networkPolicy` whom a bot may reach
 */

export interface KubernetesOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Value of the label `runtime.host`: one for each host in this namespace. */
  readonly host: string;
  readonly pods: PodOptions;
  readonly clock: Clock;
  /** Milliseconds, never set. */
  readonly monotonic: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

/** A namespace of a cluster. Resolves without having asked it: one that is away now may come. */
export async function openKubernetes(options: KubernetesOptions): Promise<Engine> {
  const { client, namespace, host, clock, random, log } = options;
  const context: KubeContext = {
    client,
    namespace,
    host,
    pods: resource<Pod>(client, { api: 'v1', plural: 'pods', namespace }),
    secrets: resource<SecretObject>(client, { api: 'v1', plural: 'secrets', namespace }),
    policies: resource<KubeObject>(client, {
      api: 'networking.k8s.io/v1',
      plural: 'networkpolicies',
      namespace,
    }),
    store: createPodStore(options.monotonic),
    adopted: new Set(),
    policiesMade: new Set(),
    options: options.pods,
    clock,
    log,
  };
  const closing = new AbortController();
  const feed = followPods(context, random, closing.signal);

  return {
    name: 'kubernetes',
    features: { folders: false, exec: false },
    /** The cluster's nodes fetch it, and know what it means: a reference with a digest means one thing. */
    image: async (reference) => ({ id: reference }),

    async list(signal) {
      await feed.ready(signal);
      return [...context.store.values()].map((seen) => instanceNow(context, seen));
    },
    watch: feed.watch,

    async inspect(name, signal) {
      const seen = await findPod(context, name, signal);
      return seen && instanceNow(context, seen);
    },
    isTaken: (name, signal) => isTaken(context, name, signal),
    create: (spec, signal) => createPod(context, spec, signal),
    ...lifeOfPods(context),
    logs: (name, wanted, signal) => readPodLogs(context, name, wanted, signal),
    /**
     * Nobody needs it: what a sandbox is asked to run, its own first process runs. The right to it (`create pods/exec`) would open every
     * pod of the namespace to whoever has the host's token, and the API knows no user, no environment and no way to end a program.
     */
    async exec() {
      throw new RuntimeError('refused', 'programs are not run inside pods from outside', {
        op: 'engine.exec',
      });
    },
    dial: (name, port, signal) => dialPod(context, name, port, signal),
    replaceFiles: (request, signal) => replaceFiles(context, request, signal),

    capacity: (signal) => clusterCapacity(client, signal),

    async close() {
      closing.abort();
    },
  };
}
