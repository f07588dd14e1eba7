import type { RuntimeError } from '../../../base/errors.ts';
import { endCrowd } from '../stop/endCrowd.ts';
import { endLeftovers, stopBot } from '../stop/stopBot.ts';
import { type StopBudget, syncBudgetMs } from '../stop/stopBudget.ts';
import { stopLater } from '../stop/stopLater.ts';
import type { Caused } from './awaitCause.ts';
import { type BotExit, isOutOfMemory } from './exitRecord.ts';
import { oomKillsSince } from './oomKill.ts';

/** The share of the final sync's time that a slow reader of the bot's output may take. */
const SHARE = 0.5;

export interface Ended extends Caused {
  readonly exit: BotExit;
  /** The bot could not be started, or its launcher refused to run it. */
  readonly refusal: RuntimeError | undefined;
}

/** Ends the bot where it has not ended by itself, ends all processes that it has left, and reads its output to the end. */
export async function endBot(caused: Caused): Promise<Ended> {
  const { bot, guard, stop, relay, clock, log } = caused;
  const budget = budgetOf(caused);
  if (budget) bot.agent?.stopping();
  const helpers = () => {
    const { daemon, query } = caused.helpers();
    return [daemon?.pid, query?.pid, guard.pid].filter((pid) => pid !== undefined);
  };
  if (budget) {
    const stopped = new AbortController();
    const crowd = endCrowd(helpers, clock, stopped.signal);
    await stopBot(bot, budget, { clock, hurried: stop.hurried });
    stopped.abort();
    if (await crowd) log.warn('the bot had nearly as many processes as there may be: all were ended at once');
  }
  const { code, signal, error } = await bot.ended;
  const { query } = caused.helpers();
  const graceMs = budget && syncBudgetMs(budget, clock.elapsed()) * SHARE;
  await endLeftovers(bot, helpers, { clock, hurried: stop.hurried, graceMs });
  guard.remove(bot.pid);
  const exit: BotExit = { code, signal, oomKills: oomKillsSince(caused.oomKills) };
  log.debug('bot ended');
  relay.emit('bot.exited', { code, signal, outOfMemory: isOutOfMemory(exit) });
  query?.tell({ type: 'bot', running: false });
  await bot.agent?.settle(caused.cause.type === 'bot ended' ? 'died' : 'stopped');
  // A slow reader of the output must not take the time that the final sync needs. This holds for a stop that begins meanwhile, too.
  const closed = new AbortController();
  const hurried = stopLater(stop, SHARE, clock, closed.signal);
  await caused.capture.close(budget && syncBudgetMs(budget, clock.elapsed()) * SHARE, hurried);
  closed.abort();
  return { ...caused, exit, refusal: error };
}

/** The time that is left for the end. A stop may begin after the bot has ended by itself. Undefined: as long as bytes move. */
export function budgetOf({ cause, stop }: Caused): StopBudget | undefined {
  return stop.budget ?? (cause.type === 'bot ended' ? undefined : cause.budget);
}
