import type { Clock } from '../../base/clock.ts';
import { isRuntimeError } from '../../base/errors.ts';
import { growingWait } from '../../base/growingWait.ts';
import { type ListOptions, listPages } from './listPages.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resource.ts';
import { watchOnce } from './watchOnce.ts';

export interface Follow<T extends KubeObject, K> extends ListOptions<T, K> {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** All that there is now: whatever is known and not among them has gone. */
  listed(items: readonly K[]): void;
  /** The cluster has taken a watch: what changes from here on is told. */
  watching?(): void;
  changed(item: K): void;
  gone(item: K): void;
  /** The cluster does not answer, refuses, or has forgotten where we were; it is asked again until the signal. */
  lost(error: unknown): void;
  /** What is known is up to date again, after `lost`. */
  back?(): void;
}

const WAIT = { firstMs: 250, longestMs: 10_000 };
/** A watch lasts 5 to 10 minutes: never all of them end at once. Seconds. */
const SHORTEST_WATCH = 300;

/**
 * Lists once, then follows the changes, until the signal. What is cut goes on where it was; only a moment that the cluster has
 * forgotten is listed again. A failure waits longer each time, and never as long as its neighbour.
 */
export async function follow<T extends KubeObject, K>(
  resource: Resource<T>,
  options: Follow<T, K>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, keep, labelSelector, fieldSelector } = options;
  let from: string | undefined;
  let isLost = false;
  const opened = () => {
    options.watching?.();
    if (isLost) options.back?.();
    isLost = false;
  };
  for (let failures = 0; !signal.aborted; ) {
    const began = clock.now();
    try {
      if (from === undefined) {
        const { items, resourceVersion } = await listPages(resource, options, signal);
        options.listed(items);
        from = resourceVersion;
      }
      const seconds = Math.round(SHORTEST_WATCH * (1 + random()));
      const watch = { labelSelector, fieldSelector, from, seconds };
      from = await watchOnce(
        resource,
        watch,
        ({ type, object }) => (type === 'DELETED' ? options.gone : options.changed)(keep(object)),
        signal,
        opened,
      );
      failures = clock.now() - began < WAIT.firstMs ? failures + 1 : 0;
    } catch (error) {
      if (signal.aborted) return;
      if (isRuntimeError(error, 'conflict')) from = undefined;
      failures += 1;
      isLost = true;
      options.lost(error);
    }
    if (failures > 0)
      await clock.sleep(growingWait(WAIT, failures) * (0.5 + random()), signal).catch(() => undefined);
  }
}
