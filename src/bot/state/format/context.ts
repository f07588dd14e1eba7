import type { Clock } from '../../../base/clock.ts';
import type { LogFields } from '../../../base/log.ts';
import type { ObjectStore } from '../../../store/objectStore.ts';

/** What every verb on a bot's state needs. The store is the state bucket, already patient (`withRetry`). */
export interface StateContext {
  readonly store: ObjectStore;
  readonly bot: string;
  readonly clock: Clock;
  /** For what an operator should see although the call goes on. */
  warn(message: string, fields?: LogFields): void;
}
