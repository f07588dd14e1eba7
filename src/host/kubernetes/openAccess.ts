import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Env } from '../../base/env.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { ClusterAccess } from './access.ts';
import { inCluster } from './inCluster.ts';
import { readKubeconfig } from './kubeconfig.ts';

/**
 * As kubectl and its like: KUBECONFIG, else the service account of the pod that this runs in, else ~/.kube/config. Throws `config`
 * where there is none of them.
 */
export function openAccess(env: Env, now: () => number): ClusterAccess {
  const named = env.KUBECONFIG?.split(delimiter).find((path) => path !== '');
  if (named) return readKubeconfig(named, env, now);
  const account = inCluster(env, now);
  if (account) return account;
  const usual = join(env.HOME || homedir(), '.kube/config');
  if (existsSync(usual)) return readKubeconfig(usual, env, now);
  throw new RuntimeError('config', 'no cluster is known', {
    op: 'cluster.access',
    hint: 'Set KUBECONFIG, or run in a pod with a service account.',
  });
}
