import type { EventLog } from './eventLog.ts';
import { newestOf } from './newestOf.ts';
import type { NewEvent, StoredEvent } from './storedEvent.ts';

/** What is known of a publish: whoever is inside says it himself. */
export interface Published {
  readonly sequence?: unknown;
  readonly files?: unknown;
  readonly bytes?: unknown;
}

/** A publish of a sandbox's disk, as its stream tells of it. */
export function snapshotCreated(sandboxId: string, { sequence, files, bytes }: Published): NewEvent {
  return {
    type: 'snapshot.created',
    data: { snapshotId: `${sandboxId}@${sequence}`, sequence, files, bytes, sandboxId },
  };
}

/** The newest that has been told of and `isOne`. */
export const newestSnapshot = (
  stream: EventLog,
  isOne: (event: StoredEvent) => boolean = () => true,
): StoredEvent | undefined =>
  newestOf(stream, '"type":"snapshot.created"', (event) => event.type === 'snapshot.created' && isOne(event));
