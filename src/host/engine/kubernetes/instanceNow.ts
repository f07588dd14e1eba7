import type { Instance } from '../engine.ts';
import type { KubeContext } from './kubeContext.ts';
import { instanceOf, type SeenPod } from './pods/seenPod.ts';

/**
 * The instance as it is now. That a pod has been leaving for too long has to be so by the cluster's time and by our own watch: where our
 * clock is minutes ahead, one that only takes the time it was given would be taken for gone, and another started beside it.
 */
export function instanceNow(
  { store, options, clock }: Pick<KubeContext, 'store' | 'options' | 'clock'>,
  seen: SeenPod,
): Instance {
  const isWatched = seen.lostAfterMs !== undefined && store.leavingFor(seen) >= seen.lostAfterMs;
  return isWatched ? instanceOf(seen, options.lostNode, clock.now()) : seen.instance;
}
