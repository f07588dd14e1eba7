import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Disks } from '../../../host/sandboxes/disk/disks.ts';
import type { Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { emit } from './emit.ts';
import type { EventLog } from './eventLog.ts';
import { newestSnapshot, snapshotCreated } from './snapshotCreated.ts';

export interface TellLastSave {
  readonly sandboxes: Pick<Sandboxes, 'find'>;
  readonly disks: Pick<Disks, 'snapshots'>;
  readonly stream: EventLog;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A sandbox is saved once more when whoever told of its saves has ended: the store tells of that one. */
export async function tellLastSave(id: string, options: TellLastSave): Promise<void> {
  const { sandboxes, disks, stream, log, signal } = options;
  try {
    const last = (await disks.snapshots(id, signal)).at(-1);
    const told = Number(newestSnapshot(stream)?.data.sequence ?? 0);
    // One that runs again tells of what follows.
    const status = sandboxes.find(id)?.status ?? 'running';
    if (last !== undefined && last.sequence > told && status !== 'running')
      emit(stream, log, snapshotCreated(id, last));
  } catch (error) {
    if (!signal.aborted) log.warn(`the last save of sandbox ${id}: ${asRuntimeError(error).message}`);
  }
}
