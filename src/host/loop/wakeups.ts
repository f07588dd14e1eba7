/** Keys with a time each: a heap, and one timer for the nearest. Milliseconds. */
export interface Wakeups {
  /** Wakes `key` at `at`, or before, when it is to be woken earlier already. */
  at(key: string, at: number): void;
  cancel(key: string): void;
  /** The time that `key` is woken at. */
  of(key: string): number | undefined;
  readonly size: number;
  stop(): void;
}

export interface Timers {
  now(): number;
  /** Calls back after `ms`; the result ends it. */
  after(ms: number, call: () => void): () => void;
}

/** A clock that is set, or a machine that slept, is noticed after this at the latest. */
const LONGEST_MS = 30_000;

export function createWakeups(timers: Timers, wake: (key: string) => void): Wakeups {
  // Entries of cancelled or replaced times stay in the heap until they come to its top.
  const heap: { key: string; at: number }[] = [];
  const times = new Map<string, number>();
  let cancelTimer: (() => void) | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  function schedule(): void {
    const top = heap[0];
    if (top === undefined || top.at >= timerAt) return;
    cancelTimer?.();
    timerAt = top.at;
    const ms = Math.min(LONGEST_MS, Math.max(0, top.at - timers.now()));
    cancelTimer = timers.after(ms, fire);
  }

  function fire(): void {
    timerAt = Number.POSITIVE_INFINITY;
    const now = timers.now();
    for (let top = heap[0]; top !== undefined && top.at <= now; top = heap[0]) {
      pop(heap);
      if (times.get(top.key) !== top.at) continue;
      times.delete(top.key);
      wake(top.key);
    }
    schedule();
  }

  return {
    at: (key, at) => {
      const before = times.get(key);
      if (before !== undefined && before <= at) return;
      times.set(key, at);
      push(heap, { key, at });
      schedule();
    },
    cancel: (key) => void times.delete(key),
    of: (key) => times.get(key),
    get size() {
      return times.size;
    },
    stop: () => cancelTimer?.(),
  };
}

interface Timed {
  readonly at: number;
}

function push<T extends Timed>(heap: T[], item: T): void {
  let index = heap.push(item) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (heap[parent]!.at <= item.at) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = item;
}

function pop<T extends Timed>(heap: T[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child += 1;
    if (heap[child]!.at >= last.at) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}
