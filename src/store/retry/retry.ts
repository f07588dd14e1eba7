import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import type { ListOptions, ObjectInfo, ObjectStore } from '../objectStore.ts';
import { sizeOf } from '../sha256.ts';
import { type Backoff, nextDelay, type RetryPolicy } from './backoff.ts';
import { bodyLanded, tailLanded } from './landed.ts';
import { type Resuming, resumingBody } from './resumingBody.ts';
import { limited, PROGRESS_BYTES, watchProgress } from './timeLimit.ts';

/**
 * The room of patience: how a call goes on after a failure that its adapter calls retryable.
 *
 *   1. One attempt, within a time limit that counts from its last progress (`timeLimit`).
 *   2. After a failure: give up, or wait. The wait grows, half of it is random, and a `Retry-After` is kept (`backoff`).
 *   3. A body that broke off goes on at the byte where it broke, from the same object or not at all (`resumingBody`).
 *   4. A conditional write that meets a conflict after an unclear failure may have met itself: it compares (`landed`).
 */

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

/** What even the last attempt gets, milliseconds. */
const LEAST_MS = 1000;

/**
 * The same store, patient. The adapter says what may be tried again, the policy how long.
 *
 * A conditional write whose answer was lost is tried again and then meets its own object: `conflict`. So after such a
 * failure a conflict is believed only when the object there does not hold our bytes. Hence the invariant for callers:
 * **the bytes of a conditionally written object belong to one writer** (a head names its holder and sequence; a pack
 * is named by its content), or the caller says that they may be there (`mayBeThere`). A caller that gives up on `unavailable` does
 * not know whether its write happened and has to read back.
 */
export function withRetry(store: ObjectStore, policy: RetryPolicy, deps: RetryDeps): ObjectStore {
  const { clock, random, onRetry } = deps;

  /** None where nothing is tried again: whoever asks for that has a limit of their own. */
  const limitMs = policy.deadlineMs > 0 ? policy.deadlineMs : undefined;
  const limit = { clock, store: store.name };

  const startBackoff = (signal: AbortSignal | undefined): Backoff => {
    const began = clock.elapsed();
    let attempt = 0;
    return async (error) => {
      attempt += 1;
      signal?.throwIfAborted();
      const elapsedMs = clock.elapsed() - began;
      const delayMs = nextDelay(policy, { attempt, error, elapsedMs, random: random() });
      if (delayMs === undefined || !isRuntimeError(error)) throw error;
      onRetry?.({ store: store.name, attempt, delayMs, error });
      await clock.sleep(delayMs, signal);
    };
  };

  /** For calls that move little: each attempt has to be over with the deadline as well. */
  const asking = <T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal | undefined) => Promise<T>,
    landed?: () => Promise<T | undefined>,
  ): Promise<T> => {
    const began = clock.elapsed();
    const left = () => limitMs && Math.max(LEAST_MS, limitMs - (clock.elapsed() - began));
    return retrying(signal, () => limited({ ...limit, ms: left(), signal }, call), landed);
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
      const watch = watchProgress({ ...limit, ms: limitMs });
      const watched = { ...options, signal: either(options.signal, watch.stalled) };
      const attempt = async () => {
        watch.wait();
        return await store.get(key, watched).finally(() => watch.got(0));
      };
      try {
        const first = await retrying(watched.signal, attempt);
        const again = () => startBackoff(watched.signal);
        return { ...first, body: resumingBody(store, first, watched, { watch, startBackoff: again }) };
      } catch (error) {
        watch.end();
        throw error;
      }
    },
    head: (key, options) => asking(options?.signal, (signal) => store.head(key, { ...options, signal })),
    put: (key, body, options) =>
      (sizeOf(body) <= PROGRESS_BYTES ? asking : retrying)(
        options?.signal,
        (signal = options?.signal) => store.put(key, body, { ...options, signal }),
        options?.mayBeThere ? undefined : () => bodyLanded(patient, key, body, options),
      ),
    append: (key, base, tail, options) =>
      retrying(
        options?.signal,
        () => store.append(key, base, tail, options),
        () => tailLanded(patient, key, base, tail, options),
      ),
    copy: (from, to, options) => retrying(options?.signal, () => store.copy(from, to, options)),
    list: (prefix, options = {}) => {
      const watch = watchProgress({ ...limit, ms: limitMs });
      const watched = { ...options, signal: either(options.signal, watch.stalled) };
      return listPatiently(store, prefix, watched, {
        watch,
        startBackoff: () => startBackoff(watched.signal),
      });
    },
    delete: (key, options) => asking(options?.signal, (signal) => store.delete(key, { ...options, signal })),
    now: (options) => asking(options?.signal, (signal) => store.now({ ...options, signal })),
    close: () => store.close(),
  };
  return patient;
}

/** A listing that broke goes on after the last key that it gave. */
async function* listPatiently(
  store: ObjectStore,
  prefix: string,
  options: ListOptions,
  { watch, startBackoff }: Resuming,
): AsyncGenerator<ObjectInfo> {
  let { startAfter } = options;
  let backoff = startBackoff();
  try {
    for (;;) {
      try {
        watch.wait();
        for await (const info of store.list(prefix, { ...options, startAfter })) {
          // Each of them is one less to come.
          watch.got(PROGRESS_BYTES);
          yield info;
          startAfter = info.key;
          backoff = startBackoff();
          watch.wait();
        }
        return;
      } catch (error) {
        await backoff(error);
      }
    }
  } finally {
    watch.end();
  }
}

function either(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal ? AbortSignal.any([signal, other]) : other;
}
