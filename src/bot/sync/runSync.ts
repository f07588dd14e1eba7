import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RESERVED_NAME } from '../state/format/format.ts';
import { watchChanges } from './changeHints.ts';
import { FileChanges } from './fileChanges.ts';
import { finalSync } from './finalSync.ts';
import type { FinishOutcome } from './finishOutcome.ts';
import { keepMarkerSoon } from './keepMarkerSoon.ts';
import { LogShipping, watchJournal } from './logShipping.ts';
import { prepareFirst } from './prepareFirst.ts';
import { saveNow } from './saveNow.ts';
import { type SaveOptions, saveState } from './saveState.ts';
import { createSyncLoop } from './syncLoop.ts';
import type { SyncOptions } from './syncOptions.ts';

/**
 * The room of the sync: code and state in before the bot runs; state and logs out while it runs and when it has ended.
 *
 *   1. `pull`        code and state at the same time, and a generation of the head
 *   2. `openSync`    what the loop needs of that: a publisher, a shipper of logs
 *   3. `runSync`     the loop, until it is told to finish: `syncLoop` saves when `nextSync` says so (`SYNC_INTERVAL`, sooner after a
 *                    change that `changeHints` reports), `saveState` publishes, `pruneWhenDue` deletes old snapshots
 *   4. `finalSync`   the last time: state, outputs and logs, as long as there is progress (`watchProgress`)
 *
 * It starts no process and listens nowhere: the daemon calls it, and so does a supervisor whose bot was too short for a daemon.
 */

/*
 * Code and state in, state and logs out, without processes or timers: who runs it passes a clock.
 *
 *   pull      code and state at the same time, and a generation that fences older instances
 *   openSync  publisher and shipper, made from the configuration
 *   runSync   the life of what saves:
 *
 *  1. `prepareFirst`, a second after the start: what the first publish needs.
 *  2. `syncLoop`, until it is told to finish: `SyncSchedule` says when a look is due (the interval, sooner after changes, later
 *     after failures); a look is `saveState` and `LogShipping.ship`, side by side.
 *  3. `watchChanges` and `watchJournal` bring a look forward. They are hints; the look itself is the truth.
 *  4. `finalSync`: both once more, as long as bytes move and the budget lasts.
 */

/**
 * The daemon's life: looks at the state again and again until it is told to finish, then once more. Resolves with what was
 * saved.
 */
export async function runSync(given: SyncOptions): Promise<FinishOutcome> {
  let { sequence } = given;
  const options: SyncOptions = {
    ...given,
    onPublished: (report) => {
      sequence = report.sequence;
      given.onPublished(report);
    },
  };
  const { config, publisher, emit, clock, log } = options;
  const looping = new AbortController();
  const { signal } = looping;
  const logs = new LogShipping(options);
  // Nobody asks for the events of other bots, and each would wake their supervisor.
  const changes = config.botType === 'realtime' ? new FileChanges(emit) : undefined;
  const loop = createSyncLoop({
    policy: config.sync,
    sync: (signal) => {
      changes?.startOver();
      return saveBoth(options, logs, signal);
    },
    onError: ({ message }) => {
      emit('error', { message });
      logs.tellLag();
    },
    clock,
    log,
  });
  options.onSaveable?.(async () => {
    changes?.startOver();
    return { ...(await saveNow(options, loop, signal)), sequence };
  });
  const keepMarker = keepMarkerSoon(publisher, clock, signal);
  const watcher = watchChanges({
    dir: config.paths.state,
    ignore: [RESERVED_NAME],
    onChange: (path) => {
      loop.hint();
      changes?.add(path);
    },
    onIgnored: keepMarker,
    since: changes && claimedAt(config.paths.state),
    log,
  });
  // The bot has run for a while: what it wrote, and did to the marker, before there was a watch nobody tells.
  loop.hint();
  keepMarker();
  const journal = watchJournal(config.paths.logs, log, () =>
    logs.ship({ signal, final: false }).catch(() => undefined),
  );

  // It ends by itself only when another instance has taken over.
  const running = prepareFirst(options, signal)
    .then(() => loop.run(signal))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  const { budgetMs, endedWell } = await options.finishing;
  log.debug('final sync');
  looping.abort();
  watcher.close();
  journal?.close();
  // A look that is under way is let go first: two at once would publish the same sequence twice.
  const fenced = await running;
  try {
    return await finalSync({
      publish: (signal) =>
        fenced === undefined
          ? // One that somebody has asked for may still be under way.
            loop.alone(() => saveState(options, { signal, final: true }))
          : Promise.reject(fenced),
      ship: (signal) => shipBoth(options, logs, { signal, final: true }),
      saveOutputs: async (signal) => {
        if (endedWell()) await options.saveOutputs(signal);
      },
      lastProgress: options.lastProgress,
      budgetMs,
      clock,
    });
  } finally {
    publisher.close();
  }
}

/** When the state became this instance's, by the mark in it: before the bot began. Undefined: there is none. */
function claimedAt(state: string): number | undefined {
  return statSync(join(state, RESERVED_NAME), { throwIfNoEntry: false })?.mtimeMs;
}

/** Both are tried: a store that refuses one bucket is no reason to let the other grow stale. */
async function saveBoth(options: SyncOptions, logs: LogShipping, signal: AbortSignal): Promise<void> {
  const how = { signal, final: false };
  await all([saveState(options, how), shipBoth(options, logs, how)]);
}

async function shipBoth({ shipUsage }: SyncOptions, logs: LogShipping, how: SaveOptions): Promise<void> {
  await all([logs.ship(how), shipUsage?.(how.signal)]);
}

async function all(works: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}
