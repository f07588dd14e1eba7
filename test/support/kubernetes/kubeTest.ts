import { inject, type TestFunction, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { createKubeClient, type KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../../src/host/kubernetes/kubeconfig.ts';
import type { ClusterAddress } from './globalCluster.ts';

const cluster = inject('cluster');

/** A test that needs the cluster; skipped, by a name that `maySkip` knows, where there is none. */
export function kubeTest(name: string, run: TestFunction, timeout?: number): void {
  test.skipIf('missing' in cluster)(`kubernetes: ${name}`, run, timeout);
}

export function theCluster(): ClusterAddress {
  if ('missing' in cluster) throw new Error(cluster.missing);
  return cluster;
}

export function clusterClient(): KubeClient {
  return createKubeClient(readKubeconfig(theCluster().kubeconfig, process.env, Date.now), systemClock);
}
