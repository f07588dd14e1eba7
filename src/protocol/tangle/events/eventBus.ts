import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import { type EventLog, type LogLimits, openEventLog, USUAL_LIMITS } from './eventLog.ts';

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
  /** All of it, from the disk as well. */
  remove(kind: StreamKind, id: string): void;
}

export type StreamKind = 'sandboxes' | 'sessions';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export interface BusOptions {
  readonly folder: string;
  readonly instance: string;
  readonly now: () => number;
  readonly limits?: LogLimits;
}

export function openEventBus({ folder, instance, now, limits = USUAL_LIMITS }: BusOptions): EventBus {
  const open = new Map<string, EventLog>();
  const pathOf = (kind: StreamKind, id: string) => {
    if (NAME.test(id)) return join(folder, kind, id);
    throw new RuntimeError('not-found', `there is no stream ${JSON.stringify(id.slice(0, 200))}`);
  };
  return {
    instance,
    of: (kind, id) => {
      const path = pathOf(kind, id);
      const log = open.get(path) ?? openEventLog(path, now, limits);
      open.set(path, log);
      return log;
    },
    remove: (kind, id) => {
      const path = pathOf(kind, id);
      open.delete(path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
