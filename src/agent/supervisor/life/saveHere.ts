import { asRuntimeError, isRuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import { parseClaim } from '../../../bot/state/claim/claim.ts';
import { finalSync } from '../../../bot/sync/finalSync.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import { isPruneDue } from '../../../bot/sync/isPruneDue.ts';
import { type OpenedSync, openSync } from '../../../bot/sync/openSync.ts';
import { publishOrCheck } from '../../../bot/sync/publishOrCheck.ts';
import type { Life, Pulled } from './life.ts';

/** How long pruning may take, milliseconds. A bot whose lives are all short has no daemon that prunes, and its end must not be delayed. */
const PRUNE_MS = 5000;

/** The margin within which a sync ends by itself, milliseconds: its own report says exactly what was not saved. */
const LAST_WORD_MS = 100;
const OUT_OF_TIME: FinishOutcome = { stateSaved: false, logsSaved: false, reason: 'the stop budget ran out' };

type Saving = Life & { readonly pulled: Pulled };

/**
 * The final sync of a bot that has ended before it had a daemon. This process does it, over the connections of its own pull. Never
 * throws: the outcome says what was not saved. `left`: the milliseconds that are left at the moment of the call; undefined: as long as
 * bytes move, until a stop is asked for.
 */
export async function saveHere(
  life: Saving,
  left: () => number | undefined,
  endedWell: boolean,
): Promise<FinishOutcome> {
  const budgetMs = left();
  const saved = new AbortController();
  const outOfTime = async () => {
    if (budgetMs === undefined) await whenAborted(AbortSignal.any([life.stop.requested, saved.signal]));
    await life.clock.sleep((left() ?? 0) + (budgetMs === undefined ? 0 : LAST_WORD_MS), saved.signal);
    return OUT_OF_TIME;
  };
  const outcome = await Promise.race([save(life, budgetMs, endedWell), outOfTime()]);
  saved.abort();
  return outcome;
}

async function save(life: Saving, budgetMs: number | undefined, endedWell: boolean): Promise<FinishOutcome> {
  const { pulled, clock } = life;
  try {
    const sync = await openSync({
      ...life,
      stores: pulled.stores,
      claim: async ({ bot }) => parseClaim(pulled.state, bot),
      restored: await pulled.restored.snapshot,
      // No process is left that could write.
      freezer: undefined,
    });
    let sequence = 0;
    const outcome = await finalSync({
      publish: async (signal) => {
        sequence = await publish(life, sync, signal);
      },
      ship: (signal) => sync.shipper.ship({ signal, final: true }),
      saveOutputs: async (signal) => {
        if (endedWell) await sync.saveOutputs(signal);
      },
      lastProgress: sync.lastProgress,
      budgetMs,
      clock,
    });
    sync.publisher.close();
    if (budgetMs === undefined && isPruneDue(sequence)) await prune(life, sync);
    return outcome;
  } catch (error) {
    const { message } = asRuntimeError(error);
    if (isRuntimeError(error, 'fenced')) life.fence(message);
    return { stateSaved: false, logsSaved: false, reason: message };
  } finally {
    void pulled.stores.close();
  }
}

/** The sequence of the new snapshot; 0: nothing has changed, and there is no new one. */
async function publish(life: Life, { publisher }: OpenedSync, signal: AbortSignal): Promise<number> {
  try {
    const report = await publishOrCheck(publisher, { signal, still: true });
    if (report) life.relay.emit('snapshot.published', { ...report });
    return report?.sequence ?? 0;
  } catch (error) {
    if (isRuntimeError(error, 'fenced')) life.fence(error.message);
    throw error;
  }
}

async function prune({ stop, log }: Life, sync: OpenedSync): Promise<void> {
  const signal = AbortSignal.any([stop.requested, AbortSignal.timeout(PRUNE_MS)]);
  await sync.prune(signal).catch((error: unknown) => {
    if (!signal.aborted) log.warn(`old snapshots are not pruned: ${asRuntimeError(error).message}`);
  });
}
