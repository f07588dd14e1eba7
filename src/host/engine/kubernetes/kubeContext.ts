import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { KubeObject, SecretObject } from '../../kubernetes/objects.ts';
import type { Resource } from '../../kubernetes/resource.ts';
import type { Pod } from './pods/pod.ts';
import type { PodOptions } from './pods/podOptions.ts';
import type { PodStore } from './pods/podStore.ts';

/** What every part of the driver works with. */
export interface KubeContext {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Value of the label `runtime.host`: what does not carry it is not ours. */
  readonly host: string;
  readonly pods: Resource<Pod>;
  readonly secrets: Resource<SecretObject>;
  readonly policies: Resource<KubeObject>;
  /** What is known of them. */
  readonly store: PodStore;
  /** Uids of pods whose Secret is known to be their own, until they are started. */
  readonly adopted: Set<string>;
  /** Labels of network policies that are there. */
  readonly policiesMade: Set<string>;
  readonly options: PodOptions;
  readonly clock: Clock;
  readonly log: Logger;
}
