import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { CodeRef } from '../bots/botSpec.ts';
import type { Timers } from '../loop/wakeups.ts';
import type { RecordFiles } from './openRecordFiles.ts';
import type { NewSandbox } from './sandboxes.ts';
import type { Claims } from './shared/createClaims.ts';

export interface SandboxesOptions {
  readonly files: RecordFiles;
  /** Undefined: this host shares its store with nobody. */
  readonly claims?: Claims | undefined;
  /** All that its last instance had written is in the store. */
  readonly isSaved: (id: string) => boolean;
  readonly tokenKey: Secret;
  /** The code of sandboxes that have no agent. It is in the store. */
  readonly box: CodeRef;
  /** How long the disk of one that was deleted is kept. */
  readonly keepDeletedMs: number;
  /** Begins the disk of `to` with a snapshot of another's. Safe to repeat. */
  readonly fork: (from: NonNullable<NewSandbox['from']>, to: string, signal: AbortSignal) => Promise<void>;
  /** Takes away all that is in the store of one that is gone. Safe to repeat. */
  readonly purge: (id: string, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Of the host's own end: no sandbox ends with it. */
  readonly signal: AbortSignal;
}
