import { readFileSync } from 'node:fs';
import type { EventLog } from './eventLog.ts';
import { newestFirst } from './segmentFiles.ts';
import type { StoredEvent } from './storedEvent.ts';

/** The newest event of a stream that is such. Reads the files from the newest on, for as long as there is none. */
export function newestOf(log: EventLog, isOne: (event: StoredEvent) => boolean): StoredEvent | undefined {
  for (const { path } of log.segments().toReversed()) {
    for (const event of newestFirst(readFileSync(path, 'utf8'))) if (isOne(event)) return event;
  }
  return undefined;
}
