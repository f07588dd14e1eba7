/** Share of the stop budget that belongs to the bot; the final sync gets the rest. Contract, section 5. */
const GRACE_SHARE = 0.6;
/** Kept back from the final sync so that the exit itself still happens inside the budget: a share, milliseconds at most. */
const EXIT_SHARE = 0.15;
const EXIT_MARGIN_MS = 300;

/** One stop, from its first signal to the exit: who may still take how long. All times in milliseconds of `Clock.elapsed`. */
export interface StopBudget {
  /** When the bot's grace ends: SIGKILL follows. */
  readonly graceEndsAt: number;
  /** When the final sync has to be over. */
  readonly syncEndsAt: number;
}

export function startStop(now: number, stopTimeoutMs: number): StopBudget {
  const margin = Math.min(EXIT_MARGIN_MS, stopTimeoutMs * EXIT_SHARE);
  return { graceEndsAt: now + stopTimeoutMs * GRACE_SHARE, syncEndsAt: now + stopTimeoutMs - margin };
}

/** What is left for the final sync; never negative. */
export function syncBudgetMs(budget: StopBudget, now: number): number {
  return Math.max(0, budget.syncEndsAt - now);
}
