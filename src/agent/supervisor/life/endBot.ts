import type { RuntimeError } from '../../../base/errors.ts';
import { endLeftovers, stopBot } from '../stop/stopBot.ts';
import { type StopBudget, syncBudgetMs } from '../stop/stopBudget.ts';
import { stopLater } from '../stop/stopLater.ts';
import type { Caused } from './awaitCause.ts';
import { type BotExit, isOutOfMemory } from './exitRecord.ts';
import { oomKillsSince } from './oomKill.ts';

/** Of the time that is left for the final sync: what others who are slow may have of it. */
const SHARE = 0.5;

export interface Ended extends Caused {
  readonly exit: BotExit;
  /** It could not be started, or its launcher refused to run it. */
  readonly refusal: RuntimeError | undefined;
}

/** Ends the bot, unless it has ended by itself, and whatever it has left; then takes the last of its output. */
export async function endBot(caused: Caused): Promise<Ended> {
  const { bot, guard, stop, relay, clock, log } = caused;
  const budget = budgetOf(caused);
  if (budget) bot.agent?.stopping();
  if (budget) await stopBot(bot, budget, { clock, hurried: stop.hurried });
  const { code, signal, error } = await bot.ended;
  const { daemon, query } = caused.helpers();
  const helpers = [daemon?.pid, query?.pid, guard.pid].filter((pid) => pid !== undefined);
  const graceMs = budget && syncBudgetMs(budget, clock.now()) * SHARE;
  await endLeftovers(bot, helpers, { clock, hurried: stop.hurried, graceMs });
  guard.remove(bot.pid);
  const exit: BotExit = { code, signal, oomKills: oomKillsSince(caused.oomKills) };
  log.debug('bot ended');
  relay.emit('bot.exited', { code, signal, outOfMemory: isOutOfMemory(exit) });
  query?.tell({ type: 'bot', running: false });
  await bot.agent?.settle(caused.cause.type === 'bot ended' ? 'died' : 'stopped');
  // Somebody who reads our output slowly may not have the time that the final sync needs, also of a stop that begins meanwhile.
  const closed = new AbortController();
  const hurried = stopLater(stop, SHARE, clock, closed.signal);
  await caused.capture.close(budget && syncBudgetMs(budget, clock.now()) * SHARE, hurried);
  closed.abort();
  return { ...caused, exit, refusal: error };
}

/** The time that there is for the end; a stop may begin when the bot has ended by itself. Undefined: as long as bytes move. */
export function budgetOf({ cause, stop }: Caused): StopBudget | undefined {
  return stop.budget ?? (cause.type === 'bot ended' ? undefined : cause.budget);
}
