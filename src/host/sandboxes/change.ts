import type { Known } from './known.ts';
import type { SandboxRecord } from './record.ts';

/** What changes in a record; undefined: nothing. Throws why it may not. */
export type Change = (record: SandboxRecord) => Partial<SandboxRecord> | undefined;

export const giveUp =
  (error: string): Change =>
  ({ wanted }) =>
    wanted === 'running' ? { wanted: 'stopped', cause: 'failed', error } : undefined;

/** `lastActivityAt` is written down with it. */
export const halt =
  ({ lastActivityAt }: Known, cause: SandboxRecord['cause']): Change =>
  ({ wanted }) =>
    wanted === 'running' ? { wanted: 'stopped', cause, lastActivityAt } : undefined;
