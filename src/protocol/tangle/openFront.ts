import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
import type { Secret } from '../../base/secret.ts';
import type { Disks } from '../../host/sandboxes/disk/disks.ts';
import { type CapacityOptions, createCapacity } from '../../host/sandboxes/placement/capacity.ts';
import { followPolicy } from '../../host/sandboxes/policy/followPolicy.ts';
import type { Sandboxes } from '../../host/sandboxes/sandboxes.ts';
import { openSecrets } from '../../host/sandboxes/secrets/openSecrets.ts';
import { authenticator } from './access/access.ts';
import { auditLine, isAudited, openAudit } from './access/audit.ts';
import { keyFileIn } from './access/keyFile.ts';
import { openKeys } from './access/openKeys.ts';
import { rateLimited } from './access/rateLimit.ts';
import { makeSigningKey, sidecarTokens } from './access/sidecarToken.ts';
import { allRoutes } from './allRoutes.ts';
import { emit } from './events/emit.ts';
import { openEventBus } from './events/eventBus.ts';
import { watchSandboxes } from './events/watchSandboxes.ts';
import { allHosts } from './hosts/allHosts.ts';
import { locator } from './hosts/locator.ts';
import { openOthers } from './hosts/openOthers.ts';
import { frontMetrics } from './http/metrics.ts';
import { openPreviews } from './previews/openPreviews.ts';
import { toolsBy } from './runtime/toolsBy.ts';
import { connections } from './sandboxes/connections.ts';
import { sandboxMaker } from './sandboxes/makeSandbox.ts';
import { openSessions } from './sessions/openSessions.ts';
import { openSnapshots } from './snapshots/openSnapshots.ts';
import { type Front, startFront } from './startFront.ts';
import { openUsage } from './usage/openUsage.ts';

export interface OpenFront {
  readonly sandboxes: Sandboxes;
  /** `serve` below the data folder: keys, policy, events, audit. */
  readonly folder: string;
  /** RUNTIME_SERVE_KEY. */
  readonly key: Secret | undefined;
  /** 0: any that is free. */
  readonly port: number;
  readonly who: 'all' | 'this-machine';
  readonly publicUrl: string | undefined;
  /** The policy's file; undefined: the usual rules. */
  readonly policy: string | undefined;
  /** Their disks, as the store has them. */
  readonly disks: Disks;
  /** What sandboxes are placed on. */
  readonly hosts: CapacityOptions['hosts'];
  /** The file of other hosts; undefined: there are none. */
  readonly hostsFile?: string | undefined;
  readonly holdsEgress: boolean;
  readonly isReady: () => boolean;
  readonly version: string;
  /** The host's, which `/metrics` shows. */
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The HTTP front of `runtime serve`, put together. Ends nothing but itself. */
export async function openFront(options: OpenFront): Promise<Front> {
  const { folder, key, clock, log } = options;
  makeFolders(folder, 0o700);
  const keys = openKeys({ path: keyFileIn(folder), main: key, now: clock.now, log });
  if (keys.count() === 0)
    log.warn('nobody may ask this server anything: set RUNTIME_SERVE_KEY, or `runtime serve keys add NAME`');
  const pem = makeOnce(join(folder, 'sidecar-key.pem'), makeSigningKey).toString();
  const tokens = sidecarTokens(pem, clock.now);
  const ending = new AbortController();
  const { signal } = ending;
  const policy = followPolicy(options.policy, log, signal);
  const { sharesStore } = options.sandboxes;
  const hosts = () => options.hosts().map((host) => ({ ...host, sharesStore }));
  const capacity = createCapacity({ ...options, hosts });
  const secrets = openSecrets(join(folder, 'secrets'), clock.now);
  const toolsOf = toolsBy(policy);
  const connect = connections(tokens, toolsOf, clock.now);
  const bus = openEventBus({
    folder: join(folder, 'events'),
    instance: randomUUID(),
    now: clock.now,
    // No number of a sandbox's stream is used again on another host.
    after: (kind, id) => {
      const { moves = 0, isVisiting } = (kind === 'sandboxes' && options.sandboxes.find(id)) || {};
      return (moves + (isVisiting ? 1 : 0)) * 2 ** 32;
    },
  });
  const others = options.hostsFile === undefined ? undefined : openOthers(options.hostsFile, options, signal);
  const every = () => allHosts(capacity, others?.pool);
  const maker = sandboxMaker({
    ...options,
    policy,
    capacity,
    secrets,
    allHosts: every,
    placed: ({ id }, data) =>
      emit(bus.of('sandboxes', id), log, { type: 'sandbox.placed', data: { sandboxId: id, ...data } }),
  });
  watchSandboxes({ ...options, bus, signal });
  const sessions = openSessions({ ...options, folder: join(folder, 'sessions'), bus, signal });
  const snapshots = openSnapshots({ ...options, folder: join(folder, 'snapshots'), signal });
  const isKey = (name: string) => keys.byName(name) !== undefined;
  const previews = openPreviews({
    ...options,
    folder: join(folder, 'previews'),
    isKey,
    now: clock.now,
  });
  const usage = openUsage({ ...options, folder: join(folder, 'usage'), now: clock.now, signal });
  const made = {
    policy,
    capacity,
    secrets,
    toolsOf,
    tokens,
    isKey,
    connect,
    maker,
    bus,
    sessions,
    snapshots,
    previews,
    usage,
  };
  const elsewhere = locator(options.sandboxes, others?.pool);
  const audit = openAudit(join(folder, 'audit'), clock.now, (error) =>
    log.error('a call is missing in the audit journal', { error: String(error) }),
  );
  const metrics = frontMetrics(options.registry, {
    sandboxes: options.sandboxes,
    hosts: every,
  });
  const front = await startFront({
    ...options,
    host: options.who === 'all' ? undefined : '127.0.0.1',
    routes: allRoutes({ ...options, ...made }, others),
    elsewhere,
    authenticate: rateLimited(authenticator(keys, tokens, elsewhere.known), policy, clock.now),
    answered: (call) => {
      metrics.answered(call.route?.path ?? 'none', call.status, call.ms / 1000);
      if (isAudited(call)) audit.write(auditLine(call));
    },
  });
  return {
    port: front.port,
    close: async () => {
      ending.abort();
      await front.close();
      audit.close();
    },
  };
}
