import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { KubeClient } from './kubeClient.ts';
import type { KubeObject } from './objects.ts';
import { resource } from './resource.ts';

export interface LeaseOptions {
  /** Of its own: a lease that waits behind other requests is lost. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique for each life of a process. */
  readonly holder: string;
  readonly clock: Clock;
  /** Milliseconds, never set, goes on while the process stands still. */
  readonly monotonic: () => number;
  readonly log: Logger;
}

/** Who of several replicas works. */
export interface Lease {
  /** Resolves once it is ours. */
  acquire(signal: AbortSignal): Promise<void>;
  /** Renews it until the signal. Throws `fenced` when somebody else has it; nothing else ends it. */
  keep(signal: AbortSignal): Promise<void>;
  /** Nobody else can have it now. */
  readonly holds: boolean;
  /** Throws `unavailable` unless `holds`. */
  check(): void;
  /** Gives it back: another replica need not wait for its end. */
  release(): Promise<void>;
}

interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** What a holder that is silent keeps it for. */
const DURATION_MS = 10_000;
/** The holder stops before others may begin. What it has sent by then is answered or given up in this time. */
const MARGIN_MS = 2_500;
const RENEW_MS = 2_500;
const REQUEST_MS = 4_000;

/**
 * A Lease of the cluster. Nobody compares clocks: a replica takes it when it has seen it unchanged for its whole duration, and the
 * holder counts from before it asked to renew. A cluster that does not answer makes no other holder: ours goes on when it answers.
 */
export function openLease(options: LeaseOptions): Lease {
  const { client, namespace, name, holder, clock, monotonic, log } = options;
  const leases = resource<LeaseObject>(client, {
    api: 'coordination.k8s.io/v1',
    plural: 'leases',
    namespace,
  });
  let seen: { readonly version: string | undefined; readonly at: number } | undefined;
  let current: LeaseObject | undefined;
  let until = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

  // A machine that sleeps stops the one clock, and one that is set moves the other.
  const holds = () => monotonic() < until.monotonic && clock.now() < until.wall;

  async function get(signal: AbortSignal): Promise<LeaseObject | undefined> {
    current = await leases.get(name, signal);
    const version = current?.metadata.resourceVersion;
    if (seen === undefined || seen.version !== version) seen = { version, at: monotonic() };
    return current;
  }

  /** `conflict` when it has changed since we saw it. */
  async function write(to: string | null, signal: AbortSignal): Promise<void> {
    const began = { monotonic: monotonic(), wall: clock.now() };
    const time = new Date(began.wall).toISOString().replace('Z', '000Z');
    const spec = current?.spec;
    const isNew = spec?.holderIdentity !== to;
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace,
        ...(current && { resourceVersion: current.metadata.resourceVersion }),
      },
      spec: {
        holderIdentity: to,
        leaseDurationSeconds: DURATION_MS / 1000,
        leaseTransitions: (spec?.leaseTransitions ?? 0) + (isNew && to !== null ? 1 : 0),
        acquireTime: isNew ? time : (spec?.acquireTime ?? time),
        renewTime: time,
      },
    };
    current = await client.call<LeaseObject>({
      op: 'lease.write',
      subject: `leases/${name}`,
      method: current === undefined ? 'POST' : 'PUT',
      path: current === undefined ? leases.path : `${leases.path}/${name}`,
      body,
      timeoutMs: REQUEST_MS,
      signal,
    });
    const forMs = to === holder ? DURATION_MS - MARGIN_MS : Number.NEGATIVE_INFINITY;
    until = { monotonic: began.monotonic + forMs, wall: began.wall + forMs };
  }

  function isFree({ spec }: LeaseObject): boolean {
    const { holderIdentity, leaseDurationSeconds = DURATION_MS / 1000 } = spec ?? {};
    return !holderIdentity || monotonic() - seen!.at >= leaseDurationSeconds * 1000;
  }

  async function tryToTake(signal: AbortSignal): Promise<boolean> {
    const found = await get(signal);
    if (found !== undefined && found.spec?.holderIdentity !== holder && !isFree(found)) return false;
    await write(holder, signal);
    return true;
  }

  async function renew(signal: AbortSignal): Promise<void> {
    try {
      await write(holder, signal);
    } catch (error) {
      if (!isRuntimeError(error, 'conflict', 'not-found')) throw error;
      // An earlier renewal may have been done although its answer was lost.
      const other = (await get(signal))?.spec?.holderIdentity;
      if (other !== undefined && other !== null && other !== holder)
        throw new RuntimeError('fenced', `${other} has taken over`, { op: 'lease.renew', path: name });
      await write(holder, signal);
    }
  }

  return {
    get holds() {
      return holds();
    },
    check: () => {
      if (holds()) return;
      throw new RuntimeError('unavailable', 'nothing is changed: the lease of this replica is not renewed', {
        op: 'engine.lease',
        path: name,
        retryable: true,
      });
    },
    acquire: async (signal) => {
      for (let told = ''; ; ) {
        try {
          if (await tryToTake(signal)) return;
          const who = `waiting: ${current?.spec?.holderIdentity} has the lease ${name}`;
          if (who !== told) log.info(who);
          told = who;
        } catch (error) {
          signal.throwIfAborted();
          const why = `the lease ${name} cannot be asked for: ${asRuntimeError(error).message}`;
          if (!isRuntimeError(error, 'conflict') && why !== told) log.warn(why);
          told = why;
        }
        await clock.sleep(RENEW_MS, signal);
      }
    },
    keep: async (signal) => {
      for (let failed = false; ; ) {
        try {
          await clock.sleep(failed ? RENEW_MS / 5 : RENEW_MS, signal);
          await renew(signal);
          if (failed) log.info(`the lease ${name} is renewed again`);
          failed = false;
        } catch (error) {
          if (signal.aborted) return;
          if (isRuntimeError(error, 'fenced')) throw error;
          if (!failed)
            log.warn(`the lease ${name} is not renewed: ${asRuntimeError(error).message}`, {
              holds: holds(),
            });
          failed = true;
        }
      }
    },
    release: async () => {
      until = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
      if (current?.spec?.holderIdentity !== holder) return;
      await write(null, AbortSignal.timeout(REQUEST_MS)).catch((error: unknown) =>
        log.warn(`the lease ${name} was not given back: ${asRuntimeError(error).message}`),
      );
    },
  };
}
