import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { releaseMemory } from '../../base/releaseMemory.ts';
import { MUCH_BYTES, releaseWhenQuiet } from '../../base/releaseWhenQuiet.ts';
import type { Config } from '../config/config.ts';
import type { EventSink } from '../events/event.ts';
import type { Shipper } from '../logs/ship/createShipper.ts';
import { watchRotation } from '../logs/ship/watchRotation.ts';
import { RESERVED_NAME } from '../state/format/format.ts';
import type { Publisher } from '../state/publish/publisher.ts';
import type { PublishReport } from '../state/publish/publishReport.ts';
import { watchChanges } from './changeHints.ts';
import { FileChanges } from './fileChanges.ts';
import { finalSync } from './finalSync.ts';
import type { FinishOutcome } from './finishOutcome.ts';
import { isPruneDue } from './isPruneDue.ts';
import { createSyncLoop } from './syncLoop.ts';

/** What an entry of the state leaves, each time that it is looked at and published. */
const ENTRY_BYTES = 500;
/** When a bot is taken to be one that stays, milliseconds. */
const PREPARE_MS = 1000;
/** When the start is over and its garbage can go, milliseconds. */
const SETTLE_MS = 2000;

export interface SyncOptions {
  readonly config: Config;
  readonly publisher: Publisher;
  readonly shipper: Shipper;
  /** Removes what no kept snapshot needs; may be ended anywhere. */
  readonly prune: (signal: AbortSignal) => Promise<unknown>;
  /** Of the last snapshot when we started; 0: there is none. */
  readonly sequence: number;
  /** When the last byte went to or came from the store, milliseconds since the epoch. */
  readonly lastProgress: () => number;
  /** Resolves when it is time for the final sync; with its budget in milliseconds, undefined: no limit. */
  readonly finishing: Promise<{ readonly budgetMs: number | undefined }>;
  /** Whether nobody writes any more once we are told to finish; a sidecar cannot know. */
  readonly botHasEnded: boolean;
  readonly emit: EventSink;
  /** Another instance has taken over: no state is saved any more, the logs still are. */
  readonly onFenced: (error: RuntimeError) => void;
  readonly onPublished: (summary: PublishReport) => void;
  /** Age of the oldest log line that is not shipped, milliseconds. */
  readonly onLogLag: (lagMs: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The daemon's life: looks at the state again and again until it is told to finish, then once more. Resolves with what was
 * saved.
 */
export async function runSync(options: SyncOptions): Promise<FinishOutcome> {
  const { config, publisher, shipper, emit, clock, log } = options;
  const looping = new AbortController();
  const worked = releaseWhenQuiet(MUCH_BYTES);

  const save = async (signal: AbortSignal, final: boolean) => {
    try {
      const report = await publisher.publish({ signal, still: final && options.botHasEnded });
      // A bot that changes nothing would never learn that another instance has taken over.
      if (!report) await publisher.checkGeneration({ signal });
      return report;
    } catch (error) {
      if (isRuntimeError(error, 'fenced')) options.onFenced(error);
      throw error;
    }
  };
  const publish = async (signal: AbortSignal, final: boolean) => {
    const report = await save(signal, final);
    if (!report) return;
    log.debug('snapshot published', {
      sequence: report.sequence,
      uploadedBytes: report.uploadedBytes,
      durationMs: report.durationMs,
    });
    emit('snapshot.published', { ...report });
    options.onPublished(report);
    if (final) return;
    worked(report.uploadedBytes + report.files * ENTRY_BYTES);
    if (isPruneDue(report.sequence)) await prune(signal);
  };
  const prune = async (signal: AbortSignal) => {
    await options.prune(signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn(`old snapshots are not pruned: ${asRuntimeError(error).message}`);
    });
  };
  /** What the first publish needs anyway, while nobody waits for it; a bot that ends at once does not need it. */
  const prepare = async (signal: AbortSignal) => {
    await clock.sleep(PREPARE_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    await publisher.prepare({ signal }).catch((error: unknown) => {
      if (!isRuntimeError(error, 'fenced')) return;
      options.onFenced(error);
      throw error;
    });
    // A bot that lives for one publish would else never prune.
    if (isPruneDue(options.sequence)) await prune(signal);
  };
  let shippedAt = clock.now();
  const ship = async (signal: AbortSignal, final: boolean) => {
    worked((await shipper.ship({ signal, final })).bytes);
    shippedAt = clock.now();
    options.onLogLag(0);
  };

  // Nobody asks for the events of other bots, and each would wake their supervisor.
  const changes = config.botType === 'realtime' ? new FileChanges(emit) : undefined;
  const loop = createSyncLoop({
    policy: config.sync,
    sync: async (signal) => {
      changes?.startOver();
      // Both are tried: a store that refuses one bucket is no reason to let the other grow stale.
      const [state, logs] = await Promise.allSettled([publish(signal, false), ship(signal, false)]);
      for (const result of [state, logs]) if (result.status === 'rejected') throw result.reason;
    },
    onError: (error) => {
      emit('error', { message: error.message });
      if (shipper.lag() > 0) options.onLogLag(clock.now() - shippedAt);
    },
    clock,
    log,
  });
  const watcher = watchChanges({
    dir: config.paths.state,
    ignore: [RESERVED_NAME],
    onChange: (path) => {
      loop.hint();
      changes?.add(path);
    },
    log,
  });

  // A bot that writes much fills the journal long before the interval is over, and would be held back.
  const rotation = watchLogs(config.paths.logs, log, () =>
    ship(looping.signal, false).catch(() => undefined),
  );
  setTimeout(releaseMemory, SETTLE_MS).unref();

  // It ends by itself only when another instance has taken over.
  const running = prepare(looping.signal)
    .then(() => loop.run(looping.signal))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const { budgetMs } = await options.finishing;
  log.debug('final sync');
  looping.abort();
  watcher.close();
  rotation?.close();
  // A look that is under way is let go first: two at once would publish the same sequence twice.
  const fenced = await running;
  try {
    return await finalSync({
      publish: (signal) => (fenced === undefined ? publish(signal, true) : Promise.reject(fenced)),
      ship: (signal) => ship(signal, true),
      lastProgress: options.lastProgress,
      budgetMs,
      clock,
    });
  } finally {
    publisher.close();
  }
}

function watchLogs(dir: string, log: Logger, onRotation: () => void): { close(): void } | undefined {
  try {
    return watchRotation(dir, onRotation);
  } catch (error) {
    log.warn('log files are not watched; they are shipped every SYNC_INTERVAL only', {
      reason: (error as Error).message,
    });
    return undefined;
  }
}
