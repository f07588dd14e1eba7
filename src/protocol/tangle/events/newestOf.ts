import { readFileSync } from 'node:fs';
import type { EventLog } from './eventLog.ts';
import { parseLines } from './segmentFiles.ts';
import type { StoredEvent } from './storedEvent.ts';

/** The newest event of a stream that is such. Reads the files from the newest on, for as long as there is none. */
export function newestOf(log: EventLog, isOne: (event: StoredEvent) => boolean): StoredEvent | undefined {
  for (const { path } of log.segments().toReversed()) {
    const found = parseLines(readFileSync(path, 'utf8')).findLast(isOne);
    if (found !== undefined) return found;
  }
  return undefined;
}
