import { readFileSync } from 'node:fs';
import type { EventLog } from './eventLog.ts';
import { parseLines } from './segmentFiles.ts';
import type { StoredEvent } from './storedEvent.ts';

/**
 * The newest event of a stream that is such. Reads the files from the newest on, for as long as there is none. `holds`: a text that the line of
 * each such event has; no other line is taken apart, so that what a sandbox says without end costs little to pass over.
 */
export function newestOf(
  log: EventLog,
  holds: string,
  isOne: (event: StoredEvent) => boolean,
): StoredEvent | undefined {
  for (const { path } of log.segments().toReversed()) {
    const text = readFileSync(path);
    for (let end = text.length; end > 0; ) {
      const at = text.subarray(0, end).lastIndexOf(holds);
      if (at === -1) break;
      const start = text.lastIndexOf(0x0a, at) + 1;
      const after = text.indexOf(0x0a, at);
      const [event] = parseLines(text.toString('utf8', start, after === -1 ? text.length : after));
      if (event !== undefined && isOne(event)) return event;
      end = start;
    }
  }
  return undefined;
}
