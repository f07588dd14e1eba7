import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import { createSyncer } from './createSyncer.ts';
import { type EventLog, type LogLimits, openEventLog, USUAL_LIMITS } from './eventLog.ts';
import type { LogReader } from './readLog.ts';

/**
 * The room of what happens: one bus for everything, so that whoever drives an agent by one path is heard on all others.
 *
 *   eventBus       all streams: of each sandbox, of each session
 *   eventLog       one of them: the numbers, the newest events in memory, all that is kept on the disk (`segmentFiles`)
 *   readLog        one reader: only a cursor. What it has not taken lies on the disk, not in a queue
 *   streamEvents   a reader at the other end of HTTP: as server-sent events, at its own pace
 *   cursorOf       where a client goes on
 */
export interface EventBus {
  /** Of one life of this server. */
  readonly instance: string;
  /** There is one for each name, and it is made by the first who asks. */
  of(kind: StreamKind, id: string): EventLog;
  /** Why events cannot be kept just now; undefined: they are. */
  trouble(): string | undefined;
  /** Keeps a reader among those that are shown; the result ends that. */
  follow(kind: StreamKind, id: string, reader: LogReader): () => void;
  readers(kind: StreamKind, id: string): readonly LogReader[];
  /** Those that are on the disk. */
  names(kind: StreamKind): readonly string[];
  /** All of it, from the disk as well. */
  remove(kind: StreamKind, id: string): void;
}

export type StreamKind = 'sandboxes' | 'sessions';

export const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export interface BusOptions {
  readonly folder: string;
  readonly instance: string;
  readonly now: () => number;
  readonly limits?: LogLimits;
  /** The number behind which a new stream begins; 0: at 1. */
  readonly after?: (kind: StreamKind, id: string) => number;
}

export function openEventBus({
  folder,
  instance,
  now,
  limits = USUAL_LIMITS,
  after = () => 0,
}: BusOptions): EventBus {
  const open = new Map<string, EventLog>();
  const written = createSyncer();
  const followed = new Map<string, Set<LogReader>>();
  const pathOf = (kind: StreamKind, id: string) => {
    if (STREAM_NAME.test(id)) return join(folder, kind, id);
    throw new RuntimeError('not-found', `there is no stream ${JSON.stringify(id.slice(0, 200))}`);
  };
  return {
    instance,
    of: (kind, id) => {
      const path = pathOf(kind, id);
      const log = open.get(path) ?? openEventLog(path, now, limits, { after: after(kind, id), written });
      open.set(path, log);
      return log;
    },
    trouble: () => {
      for (const log of open.values()) if (log.trouble !== undefined) return log.trouble;
      return undefined;
    },
    follow: (kind, id, reader) => {
      const path = pathOf(kind, id);
      const readers = followed.get(path) ?? new Set();
      followed.set(path, readers.add(reader));
      return () => {
        readers.delete(reader);
        if (readers.size === 0 && followed.get(path) === readers) followed.delete(path);
      };
    },
    readers: (kind, id) => [...(followed.get(pathOf(kind, id)) ?? [])],
    names: (kind) => (existsSync(join(folder, kind)) ? readdirSync(join(folder, kind)) : []),
    remove: (kind, id) => {
      const path = pathOf(kind, id);
      open.delete(path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
