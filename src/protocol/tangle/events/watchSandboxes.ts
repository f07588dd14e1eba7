import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { Disks } from '../../../host/sandboxes/disk/disks.ts';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { ENDED } from '../sandboxes/settled.ts';
import { hasOwn } from '../sandboxes/visitOwn.ts';
import { emit } from './emit.ts';
import type { EventBus } from './eventBus.ts';
import { followInside } from './followInside.ts';
import { newestOf } from './newestOf.ts';
import type { StoredEvent } from './storedEvent.ts';
import { tellLastSave } from './tellLastSave.ts';

export interface WatchOptions {
  readonly sandboxes: Sandboxes;
  readonly disks: Pick<Disks, 'snapshots'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const isStatus = ({ type, data }: StoredEvent) => type.startsWith('sandbox.') && data.status !== undefined;

/** The last event of a sandbox that is deleted, or that another host has taken. */
export const LAST = ['sandbox.deleted', 'sandbox.moved'];
/** How long its stream stays for those who read it then, milliseconds. */
const LINGER_MS = 60_000;

/** Tells each sandbox's stream what becomes of it, and what is told inside. A status that was told before this server began is not told again. */
export function watchSandboxes({ sandboxes, disks, bus, clock, log, signal }: WatchOptions): void {
  const told = new Map<string, string>();
  const inside = new Map<string, AbortController>();

  const look = (sandbox: Sandbox, what?: 'moved') => {
    const { id, cause, error, host } = sandbox;
    const stream = bus.of('sandboxes', id);
    const isGone = what === 'moved' || sandboxes.find(id) === undefined;
    const status = what ?? (isGone ? 'deleted' : sandbox.status);
    const before = told.get(id) ?? newestOf(stream, '"type":"sandbox.', isStatus)?.data.status;
    told.set(id, status);
    if (before !== status) {
      const data = { sandboxId: id, status, previous: before, cause, error, host };
      emit(stream, log, { type: `sandbox.${status}`, data });
      const hasEnded = !isGone && ENDED.includes(sandbox.status);
      if (hasEnded) void tellLastSave(id, { sandboxes, disks, stream, log, signal });
    }
    if (status !== 'running') {
      inside.get(id)?.abort();
      inside.delete(id);
    } else if (!inside.has(id)) {
      const ending = new AbortController();
      inside.set(id, ending);
      const either = AbortSignal.any([signal, ending.signal]);
      void followInside({ sandboxes, id, stream, clock, log, signal: either });
    }
    if (isGone) void forget(id);
  };
  const forget = async (id: string) => {
    told.delete(id);
    await clock.sleep(LINGER_MS, signal).catch(() => undefined);
    // It may be back.
    if (hasOwn(sandboxes, id)) return;
    bus.remove('sandboxes', id);
  };

  // Deleted while no server was there, or shortly before the last one ended.
  for (const id of bus.names('sandboxes')) if (sandboxes.find(id) === undefined) bus.remove('sandboxes', id);
  for (const sandbox of sandboxes.all()) look(sandbox);
  void whenAborted(signal).then(sandboxes.changes(look));
}
