import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Disks } from '../../../host/sandboxes/disk/disks.ts';
import type { Sandbox, Sandboxes } from '../../../host/sandboxes/sandboxes.ts';
import { HttpError } from '../http/httpError.ts';
import { refuseMore } from '../http/refuseMore.ts';
import { openJsonFiles } from '../openJsonFiles.ts';
import type { KeptSnapshot } from './keptSnapshot.ts';
import { publishNow } from './publishNow.ts';

/**
 * The room of snapshots: a snapshot is a publish of the sandbox's state, kept under a name of its own by a fork in the store.
 *
 *   openSnapshots     take, find, delete; what is kept of them
 *   publishNow        has a sandbox that runs save its disk
 *   snapshotSource    from the id that a client gives to where a sandbox may begin
 *   snapshotRoutes    `/snapshot`, `/snapshots`, `/checkpoints`; forkRoutes: `/fork`
 */
export interface Snapshots {
  /** The disk as it is now, or of one that does not run as it was saved. Throws `HttpError`. */
  take(sandbox: Sandbox, tags: readonly string[], signal: AbortSignal): Promise<KeptSnapshot>;
  find(id: string): KeptSnapshot | undefined;
  all(): readonly KeptSnapshot[];
  of(sandbox: string): readonly KeptSnapshot[];
  drop(id: string, signal: AbortSignal): Promise<void>;
}

export interface SnapshotsOptions {
  readonly sandboxes: Sandboxes;
  readonly disks: Disks;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Of one sandbox. */
const MOST_KEPT = 100;
/** Of one key: they outlive their sandboxes, of which it can make others. */
const MOST_OF_KEY = 1000;

export function openSnapshots({ sandboxes, disks, folder, clock, log, signal }: SnapshotsOptions): Snapshots {
  const files = openJsonFiles<KeptSnapshot>(folder);
  const all = new Map(files.found.map((snapshot) => [snapshot.id, snapshot]));

  const put = (snapshot: KeptSnapshot) => {
    files.put(snapshot);
    all.set(snapshot.id, snapshot);
  };
  const drop = async (id: string, dropping: AbortSignal) => {
    // The record goes last: killed before, the next server does it.
    const before = all.get(id);
    if (before?.state === 'kept') put({ ...before, state: 'making' });
    await disks.drop(id, dropping);
    files.remove(id);
    all.delete(id);
  };
  const kept = () => [...all.values()].filter(({ state }) => state === 'kept');
  const of = (sandbox: string) => kept().filter((each) => each.sandbox === sandbox);

  // Of these no client has been told: what there is of them goes.
  for (const { id, state } of files.found)
    if (state === 'making')
      drop(id, signal).catch((error: unknown) => {
        if (!signal.aborted) log.error(`snapshot ${id}: ${asRuntimeError(error).message}`);
      });

  /** Those that are asked for and not written down yet: their disks are being published. */
  const asked = new Set<Pick<KeptSnapshot, 'owner' | 'sandbox'>>();
  const reserve = ({ id, owner }: Sandbox): Disposable => {
    const count = (is: (one: Pick<KeptSnapshot, 'owner' | 'sandbox'>) => boolean) =>
      [...all.values(), ...asked].filter(is).length;
    const ofSandbox = count((one) => one.sandbox === id);
    refuseMore(`sandbox ${id} has`, 'snapshots', ofSandbox, MOST_KEPT);
    const ofKey = count((one) => one.owner === owner);
    refuseMore(`the key ${owner} has`, 'snapshots', ofKey, MOST_OF_KEY);
    const place = { owner, sandbox: id };
    asked.add(place);
    return { [Symbol.dispose]: () => void asked.delete(place) };
  };

  return {
    take: async (sandbox, tags, taking) => {
      using place = reserve(sandbox);
      const now =
        sandbox.status === 'running' ? await publishNow(sandboxes, sandbox.id, clock, taking) : undefined;
      const saved = (await disks.snapshots(sandbox.id, taking)).find(
        (each, at, others) => each.sequence === now || (now === undefined && at === others.length - 1),
      );
      if (saved === undefined && now !== undefined && now > 0)
        throw new HttpError(
          503,
          'UNAVAILABLE',
          `snapshot ${now} of sandbox ${sandbox.id} is not in the store any more`,
          {},
          { 'retry-after': '1' },
        );
      const snapshot: KeptSnapshot = {
        id: `snp-${randomBytes(10).toString('hex')}`,
        owner: sandbox.owner,
        sandbox: sandbox.id,
        sequence: saved?.sequence ?? 0,
        createdAt: clock.now(),
        tags,
        files: saved?.files ?? 0,
        bytes: saved?.bytes ?? 0,
        state: 'making',
      };
      place[Symbol.dispose]();
      put(snapshot);
      try {
        if (saved !== undefined) await disks.keep(sandbox.id, saved.sequence, snapshot.id, taking);
      } catch (error) {
        await drop(snapshot.id, signal).catch(() => undefined);
        throw error;
      }
      const done = { ...snapshot, state: 'kept' as const };
      put(done);
      return done;
    },
    find: (id) => {
      const one = all.get(id);
      return one?.state === 'kept' ? one : undefined;
    },
    all: kept,
    of,
    drop,
  };
}
