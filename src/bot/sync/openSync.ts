import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Stores } from '../../store/openStores.ts';
import type { Config } from '../config/config.ts';
import { createShipper, type Shipper } from '../logs/ship/createShipper.ts';
import type { Claim } from '../state/claim/claim.ts';
import type { StateContext } from '../state/format/context.ts';
import { prune } from '../state/history/prune.ts';
import { openPublisher } from '../state/publish/openPublisher.ts';
import type { Publisher, PublisherOptions } from '../state/publish/publisher.ts';
import { watchProgress } from './watchProgress.ts';

export interface OpenSyncOptions {
  readonly config: Config;
  readonly stores: Stores;
  /** Whose generation we write in; called once the state bucket is open. */
  readonly claim: (context: StateContext) => Promise<Claim>;
  /** See `PublisherOptions`. */
  readonly restored?: PublisherOptions['restored'];
  readonly freezer: { freeze(): Promise<boolean>; thaw(): Promise<void> } | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OpenedSync {
  readonly publisher: Publisher;
  readonly shipper: Shipper;
  /** Removes what no kept snapshot needs. */
  readonly prune: (signal: AbortSignal) => Promise<unknown>;
  /** Of the last snapshot when we started; 0: there is none. */
  readonly sequence: number;
  /** What a task leaves after a good end. */
  readonly saveOutputs: (signal: AbortSignal) => Promise<void>;
  readonly lastProgress: () => number;
}

/** Everything that `runSync` works with, made from the configuration. */
export async function openSync(options: OpenSyncOptions): Promise<OpenedSync> {
  const { config, stores, clock, log } = options;
  let movedAt = clock.elapsed();
  const moved = () => {
    movedAt = clock.elapsed();
  };
  const context: StateContext = {
    store: watchProgress(await stores.open('state'), moved),
    bot: config.botId,
    clock,
    warn: (message, fields) => log.warn(message, fields),
  };
  const claim = await options.claim(context);
  const publisher = openPublisher(context, claim, {
    dir: config.paths.state,
    limits: config.sync,
    owner: config.user,
    keep: config.sync.keep,
    freezer: config.sync.freeze === 'auto' ? options.freezer : undefined,
    exportTarGz: config.sync.exportTarGz,
    restored: options.restored,
  });
  const shipper = createShipper({
    store: watchProgress(await stores.open('logs'), moved),
    bot: config.botId,
    dir: config.paths.logs,
    warn: (message, fields) => log.warn(message, fields),
  });
  return {
    publisher,
    shipper,
    prune: (signal) => prune(context, { signal }),
    sequence: claim.head.sequence,
    saveOutputs: async (signal) => {
      const { outputs } = config.task;
      if (outputs.every(({ key }) => key === undefined)) return;
      const { saveOutputs } = await import('../artifacts/parts/artifacts.ts');
      const { paths, user: owner, sync } = config;
      const { store, bot } = context;
      await saveOutputs({
        store,
        bot,
        outputs,
        codePath: paths.code,
        owner,
        maxBytes: sync.maxBytes,
        log,
        signal,
      });
    },
    lastProgress: () => movedAt,
  };
}
