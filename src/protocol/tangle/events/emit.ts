import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { EventLog } from './eventLog.ts';
import type { NewEvent } from './storedEvent.ts';

/** For whoever does not wait for the disk: what that does not take is counted, and readers are told how many they miss. */
export function emit(stream: EventLog, log: Logger, event: NewEvent): void {
  try {
    stream.append([event]);
  } catch (error) {
    stream.missed(1);
    log.error(asRuntimeError(error).message, { event: event.type });
  }
}
