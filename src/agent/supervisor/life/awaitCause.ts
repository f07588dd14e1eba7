import { whenAborted } from '../../../base/whenAborted.ts';
import { whenTakenOver } from '../../process/takenOver.ts';
import { type StopBudget, startStop } from '../stop/stopBudget.ts';
import type { Helped } from './startHelpers.ts';

/** What ended a life. */
export type Cause =
  | { readonly type: 'bot ended' }
  /** SIGTERM or SIGINT came. */
  | { readonly type: 'stopped'; readonly budget: StopBudget }
  /** Another instance runs this bot now. The bot gets the same time as on SIGTERM; only its logs are saved. */
  | { readonly type: 'taken over'; readonly budget: StopBudget };

export interface Caused extends Helped {
  readonly cause: Cause;
}

/** Waits for what ends the life of a bot that runs. */
export async function awaitCause(helped: Helped): Promise<Caused> {
  const { bot, stop, fenced, config, clock } = helped;
  if (!helped.parts.sync) listenToSidecar(helped);
  await Promise.race([bot.ended, whenAborted(AbortSignal.any([stop.requested, fenced]))]);
  return { ...helped, cause: causeOf() };

  function causeOf(): Cause {
    if (stop.budget) return { type: 'stopped', budget: stop.budget };
    if (!fenced.aborted) return { type: 'bot ended' };
    return { type: 'taken over', budget: startStop(clock.elapsed(), config.stopTimeoutMs) };
  }
}

/** A sidecar that saves learns that the bot is fenced, and says so in a file. */
function listenToSidecar({ bot, config, clock, fence }: Helped): void {
  const ended = new AbortController();
  void bot.ended.then(() => ended.abort());
  void whenTakenOver(config.paths.logs, clock, ended.signal).then((told) => {
    if (told !== undefined) fence(told);
  });
}
