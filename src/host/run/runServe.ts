import { join } from 'node:path';
import type { Registry } from 'prom-client';
import { systemClock } from '../../base/clock.ts';
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import type { Config } from '../../bot/config/config.ts';
import { forkState } from '../../bot/state/history/forkState.ts';
import type { ObjectStore } from '../../store/objectStore.ts';
import type { HostApi } from '../api/hostApi.ts';
import { readSaved } from '../data/readSaved.ts';
import { dialAddress } from '../engine/dialAddress.ts';
import type { Engine } from '../engine/engine.ts';
import type { Disks } from '../sandboxes/disk/disks.ts';
import { openDisks } from '../sandboxes/disk/openDisks.ts';
import { openRecordFiles } from '../sandboxes/openRecordFiles.ts';
import { openSandboxes } from '../sandboxes/openSandboxes.ts';
import { placeBox } from '../sandboxes/placeBox.ts';
import type { Sandboxes } from '../sandboxes/sandboxes.ts';
import { createClaims } from '../sandboxes/shared/createClaims.ts';
import { openSharedRecords } from '../sandboxes/shared/sharedRecords.ts';
import { readHostOptions } from './hostOptions.ts';
import { poolSeal } from './poolSeal.ts';
import { purgeBot } from './purgeBot.ts';
import { runHost } from './runHost.ts';
import { serveFolder } from './serveFolder.ts';
import type { ServeOptions } from './serveOptions.ts';
import { systemTimers } from './systemTimers.ts';

export interface RunServe {
  readonly options: ServeOptions;
  readonly config: Config;
  readonly env: Env;
  readonly cwd: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Opens the protocol's server; resolves when it serves. */
  readonly protocol: (parts: ServeParts) => Promise<void>;
}

/** What a protocol has to serve with. */
export interface ServeParts {
  readonly options: ServeOptions;
  readonly env: Env;
  readonly sandboxes: Sandboxes;
  readonly disks: Disks;
  readonly api: HostApi;
  /** The host's name on the engine. */
  readonly id: string;
  readonly engine: Engine;
  /** The host's own, from which keys of other purposes are derived. */
  readonly tokenKey: Secret;
  readonly stores: {
    readonly state: () => Promise<ObjectStore>;
    readonly code: () => Promise<ObjectStore>;
  };
  /** A folder of the protocol's own; root's alone. */
  readonly folder: string;
  /** Source and engine have answered. */
  readonly isReady: () => boolean;
  /** The host's metrics; the protocol adds its own. */
  readonly registry: Registry;
  readonly log: Logger;
  /** What has been opened is closed with it. */
  readonly closing: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/** A host of sandboxes: it runs what its records want, and `protocol` is how somebody asks for that. */
export async function runServe(run: RunServe): Promise<void> {
  const { options, env, log, signal } = run;
  let diskOf = (_bot: string): number | undefined => undefined;
  const folder = await serveFolder(run.config, options, log, (bot) => diskOf(bot));
  await using closing = new AsyncDisposableStack();
  closing.defer(() => folder.close());
  await runHost({
    ...run,
    config: folder.config,
    options: {
      ...readHostOptions({ flags: {}, env: {} }),
      only: new Set(['realtime'] as const),
      data: options.data,
      socket: options.socket,
      image: options.image,
      network: options.network,
      'start-slots': options['start-slots'],
      'query-workers': 0,
    },
    disks: options.disks,
    guests: async ({ folders, id, tokenKey, stores }) => {
      const { state, code, logs } = stores;
      const contextOf = async (bot: string) => ({
        store: await state(),
        bot,
        clock: systemClock,
        warn: log.warn,
      });
      const purge = (bot: string, purging: AbortSignal) => purgeBot({ folders, state, logs }, bot, purging);
      const box = await placeBox(code, systemClock, log, signal);
      const seal = poolSeal(run.config, options);
      const shared = seal && openSharedRecords(id, code, seal, signal);
      const opened = await openSandboxes({
        files: openRecordFiles(join(folders.data, 'sandboxes')),
        claims: shared && createClaims({ shared, clock: systemClock, log, signal }),
        isSaved: (bot) => readSaved(folders, bot),
        tokenKey,
        box,
        keepDeletedMs: options['keep-deleted'],
        fork: async (from, to, forking) => {
          const { sandbox, sequence } = from;
          await forkState(await contextOf(to), { from: sandbox, sequence, signal: forking });
        },
        purge,
        clock: systemClock,
        timers: systemTimers,
        log,
        signal,
      });
      diskOf = opened.diskOf;
      return {
        source: opened.source,
        secretEnv: opened.secretEnv,
        serve: async (host) => {
          const sandboxes = opened.attach({
            api: host.api,
            name: host.id,
            engine: host.engine,
            dial: dialAddress,
          });
          await sandboxes.settled(signal);
          await run.protocol({
            ...host,
            options,
            env,
            sandboxes,
            tokenKey,
            disks: openDisks({ contextOf, purge }),
            stores: { state, code },
            folder: join(folders.data, 'serve'),
            log,
            signal,
          });
        },
      };
    },
  });
}
