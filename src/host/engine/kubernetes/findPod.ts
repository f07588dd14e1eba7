import { RuntimeError } from '../../../base/errors.ts';
import type { KubeContext } from './kubeContext.ts';
import { podName } from './pods/podName.ts';
import { type SeenPod, seePod } from './pods/seenPod.ts';

/**
 * What is known of an instance. Its absence is asked of the cluster: the watch may be late with one that has only just been made.
 * Undefined: there is none of that name that is ours.
 */
export async function findPod(
  { store, pods, host }: KubeContext,
  name: string,
  signal: AbortSignal,
): Promise<SeenPod | undefined> {
  const known = store.get(name);
  if (known !== undefined && store.isCurrent) return known;
  const pod = await pods.get(podName(name), signal);
  const seen = pod && seePod(pod, host);
  if (seen?.instance.name !== name) return undefined;
  store.put(seen);
  return seen;
}

/** Somebody else's pod has the name that this instance's would have. */
export async function isTaken(
  { pods, host }: KubeContext,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const pod = await pods.get(podName(name), signal);
  return pod !== undefined && seePod(pod, host) === undefined;
}

export function noPod(op: string, name: string): RuntimeError {
  return new RuntimeError('not-found', `${name}: no such pod of this host`, { op, path: name });
}

export function inAnotherState(op: string, { instance }: SeenPod): RuntimeError {
  return new RuntimeError('conflict', `${instance.name}: the pod is ${instance.state}`, {
    op,
    path: instance.name,
  });
}
