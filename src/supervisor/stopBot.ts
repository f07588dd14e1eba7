import type { Clock } from '../clock.ts';
import type { BotProcess } from './botProcess.ts';
import { ownsNamespace } from './ownNamespace.ts';
import { botProcesses, leftovers, readProcessTable } from './processTree.ts';
import { signalProcess } from './signalProcess.ts';
import type { StopBudget } from './stopBudget.ts';

/** How often a group that was asked to end is looked at, milliseconds. */
const POLL_MS = 10;
/** What processes that outlive the bot's first one get between SIGTERM and SIGKILL, milliseconds. */
const LEFTOVER_GRACE_MS = 1000;

/**
 * Asks the bot to end, and ends it with all its descendants when its grace is over. Resolves when its first process
 * is gone.
 */
export async function stopBot(
  bot: BotProcess,
  budget: StopBudget,
  { clock, hurried }: { readonly clock: Clock; readonly hurried: AbortSignal },
): Promise<void> {
  bot.signal('SIGTERM');
  // A stopped process (SIGSTOP) would never see it.
  bot.signal('SIGCONT');
  const over = new AbortController();
  const grace = clock
    .sleep(Math.max(0, budget.graceEndsAt - clock.now()), AbortSignal.any([hurried, over.signal]))
    .catch(() => undefined);
  await Promise.race([bot.ended, grace]);
  over.abort();
  if (bot.pid !== undefined) {
    // All of them are found before the first is killed: an orphan has lost the parent that it is found by.
    for (const pid of botProcesses(readProcessTable(), bot.pid)) signalProcess(pid, 'SIGKILL');
  }
  bot.signal('SIGKILL');
  await bot.ended;
}

/**
 * Ends what outlives the bot's first process: the rest of its group and, in a PID namespace of our own, everything
 * else but us and our helpers.
 */
export async function endLeftovers(
  bot: BotProcess,
  helpers: readonly number[],
  clock: Clock,
  hurried: AbortSignal,
): Promise<void> {
  const others = () => (ownsNamespace() ? leftovers(readProcessTable(), process.pid, helpers) : []);
  const signalAll = (signal: NodeJS.Signals) => {
    const group = bot.signal(signal);
    return (
      others()
        .map((pid) => signalProcess(pid, signal))
        .includes(true) || group
    );
  };
  if (!signalAll('SIGTERM')) return;
  const until = clock.now() + LEFTOVER_GRACE_MS;
  while (clock.now() < until && !hurried.aborted) {
    if (
      bot.pid === undefined ||
      (botProcesses(readProcessTable(), bot.pid).length === 0 && others().length === 0)
    )
      return;
    await clock.sleep(POLL_MS, hurried).catch(() => undefined);
  }
  signalAll('SIGKILL');
}
