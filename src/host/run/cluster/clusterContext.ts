import type { Logger } from '../../../base/log.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Instances } from '../../instances/instances.ts';
import type { KubeClient } from '../../kubernetes/kubeClient.ts';
import type { HostStores } from '../openHostStores.ts';
import type { RunHost } from '../runHost.ts';
import type { ClusterIdentity } from './clusterIdentity.ts';

/** What a host in a cluster works with, whichever engine it has. */
export interface ClusterContext {
  readonly run: RunHost;
  readonly client: KubeClient;
  readonly namespace: string;
  /** Name of the host: the value of the label `runtime.host`. */
  readonly host: string;
  readonly identity: ClusterIdentity;
  readonly stores: HostStores;
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
}

/** What bots run as: the driver, and what an instance is made of. */
export interface ClusterParts {
  readonly engine: Engine;
  readonly instances: Instances;
  /** Of the keys that bots get, for the log. */
  readonly description: string;
}
