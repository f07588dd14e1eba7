import { isNothingThere } from '../../../bot/state/local/isEmpty.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import { syncBudgetMs } from '../stop/stopBudget.ts';
import type { Life } from './life.ts';
import { saveHere } from './saveHere.ts';

/**
 * Saves the state that an earlier life has left on this volume, after a start that failed. It may be newer than the saved one, and there
 * may be no further start. Never throws.
 */
export async function saveHeld(life: Life): Promise<FinishOutcome> {
  const { parts, config, stop, clock, log } = life;
  const held = life.held();
  if (!held) {
    // A start that could not read the saved state does not know whether that has everything of the local one.
    const isSaved = !parts.sync || isNothingThere(config.paths.state);
    return { stateSaved: isSaved, logsSaved: isSaved, reason: undefined };
  }
  if (!held.kept) {
    void held.stores.close();
    return { stateSaved: true, logsSaved: true, reason: undefined };
  }
  const left = () => stop.budget && syncBudgetMs(stop.budget, clock.elapsed());
  const outcome = await saveHere({ ...life, pulled: held }, left, false);
  if (outcome.reason !== undefined) log.error(`not everything was saved: ${outcome.reason}`);
  return outcome;
}
