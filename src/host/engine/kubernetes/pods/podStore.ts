import type { SeenPod } from './seenPod.ts';

/** The pods of this host as the watch tells them and our own writes answer, the newer of both. */
export interface PodStore {
  /** A watch tells what changes; else only the cluster itself knows. */
  isCurrent: boolean;
  get(name: string): SeenPod | undefined;
  values(): Iterable<SeenPod>;
  /** What is older than what is known is left out. */
  put(seen: SeenPod): void;
  /** It is gone for good. `by`: we have removed it, and events from before may still come, or the last one has come. */
  drop(seen: SeenPod, by: 'us' | 'event'): void;
  /** For how long this process has seen it leave, milliseconds; 0 where it does not. */
  leavingFor(seen: SeenPod): number;
  /** All that there is. */
  replace(all: readonly SeenPod[]): void;
  /** Told the name of every instance that has changed; undefined: any may have. */
  onChange(listener: (name: string | undefined) => void): () => void;
}

/** `monotonic`: milliseconds, never set. */
export function createPodStore(monotonic: () => number): PodStore {
  const byName = new Map<string, SeenPod>();
  /** Removed by ourselves; an event from before may still come. */
  const gone = new Set<string>();
  /** By uid, when it was first seen to leave. */
  const leaving = new Map<string, number>();
  const watch = ({ uid, instance: { state } }: SeenPod) => {
    if (state !== 'leaving') leaving.delete(uid);
    else if (!leaving.has(uid)) leaving.set(uid, monotonic());
  };
  const listeners = new Set<(name: string | undefined) => void>();
  const tell = (name: string | undefined) => {
    for (const listener of listeners) listener(name);
  };
  return {
    isCurrent: false,
    get: (name) => byName.get(name),
    values: () => byName.values(),
    put: (seen) => {
      const { name } = seen.instance;
      const before = byName.get(name);
      // Versions count all pods of a cluster: an older one of the same name has a smaller one too.
      if (gone.has(seen.uid) || (before !== undefined && before.version >= seen.version)) return;
      byName.set(name, seen);
      if (before !== undefined && before.uid !== seen.uid) leaving.delete(before.uid);
      watch(seen);
      tell(name);
    },
    drop: ({ uid, instance: { name } }, by) => {
      if (by === 'us') gone.add(uid);
      else gone.delete(uid);
      if (byName.get(name)?.uid !== uid) return;
      byName.delete(name);
      leaving.delete(uid);
      tell(name);
    },
    replace: (all) => {
      byName.clear();
      gone.clear();
      for (const seen of all) {
        byName.set(seen.instance.name, seen);
        watch(seen);
      }
      const uids = new Set(all.map(({ uid }) => uid));
      for (const uid of leaving.keys()) if (!uids.has(uid)) leaving.delete(uid);
      tell(undefined);
    },
    leavingFor: ({ uid }) => {
      const since = leaving.get(uid);
      return since === undefined ? 0 : monotonic() - since;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
