/** Share of the stop budget that belongs to the bot; the final sync gets the rest. Contract, section 5. */
const GRACE_SHARE = 0.6;
/** Kept back from the final sync so that the exit itself still happens inside the budget, milliseconds. */
const EXIT_MARGIN_MS = 300;

/** One stop, from its first signal to the exit: who may still take how long. All times in milliseconds. */
export interface StopBudget {
  /** When the bot's grace ends: SIGKILL follows. */
  readonly graceEndsAt: number;
  /** When the process has to be gone. */
  readonly deadline: number;
}

export function startStop(now: number, stopTimeoutMs: number): StopBudget {
  return { graceEndsAt: now + stopTimeoutMs * GRACE_SHARE, deadline: now + stopTimeoutMs };
}

/** What is left for the final sync; never negative. */
export function syncBudgetMs(budget: StopBudget, now: number): number {
  return Math.max(0, budget.deadline - now - EXIT_MARGIN_MS);
}
