import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { FinishOutcome } from './finishOutcome.ts';

/** The final sync ends when no byte has moved for this long, milliseconds. Contract, section 5. */
export const STALL_MS = 30_000;

export interface FinalSyncOptions {
  readonly publish: (signal: AbortSignal) => Promise<unknown>;
  readonly ship: (signal: AbortSignal) => Promise<unknown>;
  /** What the task leaves: saved when the state is, which also shows that nobody has taken over. */
  readonly saveOutputs: (signal: AbortSignal) => Promise<void>;
  /** When the last byte went to or came from the store, milliseconds of `Clock.elapsed`. */
  readonly lastProgress: () => number;
  /** Undefined: as long as bytes move. */
  readonly budgetMs: number | undefined;
  readonly clock: Clock;
}

/** Saves state, outputs and logs one last time. Never throws: what was not saved is in the outcome. */
export async function finalSync(options: FinalSyncOptions): Promise<FinishOutcome> {
  const { clock, budgetMs } = options;
  const startedAt = clock.elapsed();
  const stop = new AbortController();
  const watch = async () => {
    while (!stop.signal.aborted) {
      const stalledAt = Math.max(startedAt, options.lastProgress()) + STALL_MS;
      const endsAt = budgetMs === undefined ? stalledAt : Math.min(stalledAt, startedAt + budgetMs);
      if (endsAt <= clock.elapsed())
        return stop.abort(new Error(stalledAt === endsAt ? 'no byte moved for 30 s' : 'no time left'));
      await clock.sleep(endsAt - clock.elapsed(), stop.signal).catch(() => undefined);
    }
  };
  void watch();
  // Both are tried: a state that cannot be saved is no reason to lose the logs as well.
  const publishing = options.publish(stop.signal);
  const [state, logs, outputs] = await Promise.allSettled([
    publishing,
    options.ship(stop.signal),
    // What is wrong with the state is told once.
    publishing.then(
      () => options.saveOutputs(stop.signal),
      () => undefined,
    ),
  ]);
  stop.abort();
  const reasons = [
    ...(state.status === 'rejected' ? [`state: ${asRuntimeError(state.reason).message}`] : []),
    ...(outputs.status === 'rejected' ? [`outputs: ${asRuntimeError(outputs.reason).message}`] : []),
    ...(logs.status === 'rejected' ? [`logs: ${asRuntimeError(logs.reason).message}`] : []),
  ];
  return {
    stateSaved: state.status === 'fulfilled',
    logsSaved: logs.status === 'fulfilled',
    reason: reasons.length > 0 ? reasons.join('; ') : undefined,
  };
}
