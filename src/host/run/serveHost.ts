import { build } from '../../base/build.ts';
import { systemClock } from '../../base/clock.ts';
import { isRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import { createHostApi, type HostApiOptions } from '../api/createHostApi.ts';
import type { HostApi } from '../api/hostApi.ts';
import { startControl } from '../control/startControl.ts';
import { makeBotToken } from '../gateway/botToken.ts';
import { startGateway } from '../gateway/startGateway.ts';
import type { HostMetrics } from './hostMetrics.ts';
import type { HostOptions } from './hostOptions.ts';

export interface ServeHost extends Omit<HostApiOptions, 'makeToken' | 'now' | 'startedAt' | 'version'> {
  readonly options: HostOptions;
  readonly state: () => Promise<ObjectStore>;
  readonly tokenKey: Secret;
  readonly metrics: HostMetrics;
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
  /** Query containers that wait for a bot; their folder is of no use where the engine has none. */
  readonly waiting: { readonly size: number; readonly folder: string };
}

export interface Served {
  readonly api: HostApi;
  /** Whether the host does its work: the engine answers, and what is wanted is known. */
  readonly isReady: () => boolean;
  /** Undefined: this host answers no queries. */
  readonly queryPort: number | undefined;
}

/** What others ask a host by: its API, the operator's socket, the query gateway. They end with `closing`. */
export async function serveHost(host: ServeHost): Promise<Served> {
  const { options, loop, engine, instances, metrics, tokenKey, closing } = host;
  const now = () => Date.now();
  const api = createHostApi({
    ...host,
    version: build.version,
    startedAt: now(),
    now,
    makeToken: (bot) => makeBotToken(tokenKey, bot),
  });
  metrics.watch(api, loop.slots);
  const control = await startControl(options.socket, api);
  closing.defer(() => control.close());
  const isReady = () => api.status().engine.answers && loop.wanted.listedAt !== undefined;
  if (!options.only.has('queries')) return { api, isReady, queryPort: undefined };
  const gateway = await startGateway({
    api,
    engine,
    instances,
    stateVersion: async (bot, asked) => {
      const state = await host.state();
      const head = await state.head(`${bot}/head`, { signal: asked }).catch((error: unknown) => {
        if (isRuntimeError(error, 'not-found')) return undefined;
        throw error;
      });
      return head?.etag;
    },
    waiting: host.waiting,
    draining: () => loop.draining,
    port: options['query-port'],
    who: options.listen === 'auto' ? (options.queryToken ? 'all' : 'this-machine') : options.listen,
    token: options.queryToken,
    tokenKey,
    clock: systemClock,
    log: host.log,
    registry: metrics.registry,
  });
  closing.defer(() => gateway.close());
  return { api, isReady, queryPort: gateway.port };
}
