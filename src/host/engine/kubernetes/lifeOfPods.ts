import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { Engine } from '../engine.ts';
import { adoptSecret } from './createPod.ts';
import { findPod, inAnotherState, noPod } from './findPod.ts';
import { instanceNow } from './instanceNow.ts';
import type { KubeContext } from './kubeContext.ts';
import type { Pod } from './pods/pod.ts';
import { RESULT, START } from './pods/pod.ts';
import { type SeenPod, seePod } from './pods/seenPod.ts';

/** Zero would take the pod out of the cluster's books while its processes run. */
const AT_ONCE_SECONDS = 1;

/** From `created` to gone. Each looks first, and then acts on what it has seen: another pod of the same name has another uid. */
export function lifeOfPods(
  context: KubeContext,
): Pick<Engine, 'start' | 'stop' | 'kill' | 'retire' | 'remove'> {
  const { pods, store, host } = context;

  const note = (pod: Pod | undefined, before: SeenPod): void => {
    const seen = pod && seePod(pod, host);
    if (seen) store.put(seen);
    else if (pod === undefined) store.drop(before, 'us');
  };

  /**
   * A pod that is going may be told to go sooner; containerd 1.6 then waits for its first time all the same. The kubelet keeps to the
   * time by itself, so the host's own `kill` comes when there is nothing left to kill.
   */
  const end = async (name: string, graceSeconds: number | undefined, signal: AbortSignal): Promise<void> => {
    const seen = await findPod(context, name, signal);
    if (seen === undefined || (seen.instance.state !== 'running' && seen.instance.state !== 'leaving'))
      return;
    const own = graceSeconds === undefined ? {} : { graceSeconds };
    note(await pods.remove(seen.pod, { uid: seen.uid, ...own }, signal), seen);
  };

  /** Both steps may be repeated: who died in between left a pod without our finalizer. */
  const remove = async (name: string, signal: AbortSignal): Promise<void> => {
    const op = 'engine.remove';
    const seen = await findPod(context, name, signal);
    if (seen === undefined) return;
    const { state, role } = instanceNow(context, seen);
    // Nobody waits for how a query ended: it is on its way.
    if (state === 'leaving' && role !== 'bot' && role !== 'run') return;
    if (state === 'running' || state === 'leaving') throw inAnotherState(op, seen);
    await letGo(seen, signal);
    try {
      await pods.remove(seen.pod, { uid: seen.uid, graceSeconds: 0 }, signal);
    } catch (error) {
      // Another of this name has taken its place.
      if (!isRuntimeError(error, 'conflict')) throw error;
    }
    store.drop(seen, 'us');
  };

  const letGo = async (seen: SeenPod, signal: AbortSignal): Promise<void> => {
    const at = seen.finalizers.indexOf(RESULT);
    if (at === -1) return;
    const path = `/metadata/finalizers/${at}`;
    const patch = [
      { op: 'test', path: '/metadata/uid', value: seen.uid },
      { op: 'test', path, value: RESULT },
      { op: 'remove', path },
    ];
    try {
      await pods.patch(seen.pod, patch, signal);
    } catch (error) {
      if (isRuntimeError(error, 'not-found')) return;
      throw error;
    }
  };

  return {
    async start(name, signal) {
      const op = 'engine.start';
      const seen = await findPod(context, name, signal);
      if (seen === undefined) throw noPod(op, name);
      if (seen.instance.state !== 'created') throw inAnotherState(op, seen);
      // Made by a host that died over it.
      if (!context.adopted.delete(seen.uid)) await adoptSecret(context, seen, signal);
      const patch = [
        { op: 'test', path: '/metadata/uid', value: seen.uid },
        { op: 'test', path: '/spec/schedulingGates/0/name', value: START },
        { op: 'remove', path: '/spec/schedulingGates/0' },
      ];
      try {
        note(await pods.patch(seen.pod, patch, signal), seen);
      } catch (error) {
        // A test of the patch failed: somebody else has started it.
        if (!isRuntimeError(error, 'refused')) throw error;
        throw new RuntimeError('conflict', error.message, { op, path: name, cause: error });
      }
    },

    /** The pod itself says how long it may take: as long as what runs in it has been told that it has. */
    stop: (name, _graceMs, signal) => end(name, undefined, signal),
    kill: (name, signal) => end(name, AT_ONCE_SECONDS, signal),

    /** A pod cannot have another name; its output is in the store. */
    retire: (name, _to, signal) => remove(name, signal),
    remove,
  };
}
