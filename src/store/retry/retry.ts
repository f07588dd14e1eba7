import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import type { ListOptions, ObjectInfo, ObjectStore } from '../objectStore.ts';
import { type Backoff, nextDelay, type RetryPolicy } from './backoff.ts';
import { bodyLanded, tailLanded } from './landed.ts';
import { resumingBody } from './resumingBody.ts';

export interface RetryDeps {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** For one log line; called before each pause. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

export interface Retry {
  readonly store: string;
  /** From 1: the attempt that failed. */
  readonly attempt: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  readonly error: RuntimeError;
}

/**
 * The same store, patient. The adapter says what may be tried again, the policy how long.
 *
 * A conditional write whose answer was lost is tried again and then meets its own object: `conflict`. So after such a
 * failure a conflict is believed only when the object there does not hold our bytes. Hence the invariant for callers:
 * **the bytes of a conditionally written object belong to one writer** (a head names its holder and sequence; a pack
 * is named by its content). A caller that gives up on `unavailable` does not know whether its write happened and has
 * to read back.
 */
export function withRetry(store: ObjectStore, policy: RetryPolicy, deps: RetryDeps): ObjectStore {
  const { clock, random, onRetry } = deps;

  const startBackoff = (signal: AbortSignal | undefined): Backoff => {
    const began = clock.now();
    let attempt = 0;
    return async (error) => {
      attempt += 1;
      signal?.throwIfAborted();
      const elapsedMs = clock.now() - began;
      const delayMs = nextDelay(policy, { attempt, error, elapsedMs, random: random() });
      if (delayMs === undefined || !isRuntimeError(error)) throw error;
      onRetry?.({ store: store.name, attempt, delayMs, error });
      await clock.sleep(delayMs, signal);
    };
  };

  /** `landed`: after an ambiguous failure and then a conflict, the result when the first write had happened. */
  const retrying = async <T>(
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
    landed?: () => Promise<T | undefined>,
  ): Promise<T> => {
    const backoff = startBackoff(signal);
    let ambiguous = false;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const result = ambiguous && isRuntimeError(error, 'conflict') ? await landed?.() : undefined;
        if (result !== undefined) return result;
        ambiguous ||= isRuntimeError(error, 'unavailable');
        await backoff(error);
      }
    }
  };

  const patient: ObjectStore = {
    name: store.name,
    get: async (key, options = {}) => {
      const first = await retrying(options.signal, () => store.get(key, options));
      return { ...first, body: resumingBody(store, first, options, () => startBackoff(options.signal)) };
    },
    head: (key, options) => retrying(options?.signal, () => store.head(key, options)),
    put: (key, body, options) =>
      retrying(
        options?.signal,
        () => store.put(key, body, options),
        () => bodyLanded(patient, key, body, options),
      ),
    append: (key, base, tail, options) =>
      retrying(
        options?.signal,
        () => store.append(key, base, tail, options),
        () => tailLanded(patient, key, base, tail, options),
      ),
    list: (prefix, options) => listPatiently(store, prefix, options, startBackoff),
    delete: (key, options) => retrying(options?.signal, () => store.delete(key, options)),
    now: (options) => retrying(options?.signal, () => store.now(options)),
    close: () => store.close(),
  };
  return patient;
}

/** A listing that broke goes on behind the last key that it gave. */
async function* listPatiently(
  store: ObjectStore,
  prefix: string,
  options: ListOptions = {},
  startBackoff: (signal: AbortSignal | undefined) => Backoff,
): AsyncGenerator<ObjectInfo> {
  let { startAfter } = options;
  let backoff = startBackoff(options.signal);
  for (;;) {
    try {
      for await (const info of store.list(prefix, { ...options, startAfter })) {
        yield info;
        startAfter = info.key;
        backoff = startBackoff(options.signal);
      }
      return;
    } catch (error) {
      await backoff(error);
    }
  }
}
