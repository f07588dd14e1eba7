import { RuntimeError } from '../../../base/errors.ts';
import { follow } from '../../kubernetes/follow.ts';
import type { EngineWatch } from '../engine.ts';
import type { KubeContext } from './kubeContext.ts';
import { hostLabel } from './pods/labels.ts';
import { seePod } from './pods/seenPod.ts';

/** How long a cluster may take to list all pods, milliseconds. */
const FIRST_MS = 60_000;

/** The pods of this host, followed for as long as the driver is open. */
export interface PodFeed {
  /** All of them are known, and changes are told: what is known is what there is. Throws `unavailable` while that is not so. */
  ready(signal: AbortSignal): Promise<void>;
  watch(changed: (name: string | undefined) => void, signal: AbortSignal): Promise<EngineWatch>;
}

export function followPods(
  context: Omit<KubeContext, 'options'>,
  random: () => number,
  closing: AbortSignal,
): PodFeed {
  const { pods, store, host, clock } = context;
  let why: unknown;
  /** Called with every turn. */
  const waiting = new Set<() => void>();
  let begun = false;
  const turn = (on: boolean, error?: unknown) => {
    store.isCurrent = on;
    why = error;
    for (const wake of [...waiting]) wake();
  };

  const begin = () => {
    if (begun) return;
    begun = true;
    void follow(
      pods,
      {
        clock,
        random,
        labelSelector: `${hostLabel}=${host}`,
        keep: (pod) => seePod(pod, host),
        listed: (all) => store.replace(all.filter((one) => one !== undefined)),
        watching: () => turn(true),
        changed: (seen) => seen && store.put(seen),
        gone: (seen) => seen && store.drop(seen, 'event'),
        lost: (error) => turn(false, error),
      },
      closing,
    );
  };

  const turned = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });

  const ready = async (signal: AbortSignal): Promise<void> => {
    begin();
    if (store.isCurrent) return;
    const limit = AbortSignal.any([signal, closing, AbortSignal.timeout(FIRST_MS)]);
    // Once: whoever is told that it failed may ask again.
    await turned(limit);
    signal.throwIfAborted();
    if (store.isCurrent) return;
    throw new RuntimeError(
      'unavailable',
      `the pods of ${context.namespace} cannot be listed: ${messageOf(why)}`,
      {
        op: 'engine.list',
        retryable: true,
        cause: why,
      },
    );
  };

  return {
    ready,
    async watch(changed, signal) {
      await ready(signal);
      const stop = store.onChange(changed);
      const ended = (async () => {
        while (store.isCurrent && !signal.aborted && !closing.aborted)
          await turned(AbortSignal.any([signal, closing]));
        stop();
      })();
      return { ended };
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no answer in time';
}
