import type { Clock } from '../../../base/clock.ts';
import { botProcesses, leftovers, readProcessTable } from '../../../base/process/processTree.ts';
import { signalProcess } from '../../../base/process/signalProcess.ts';
import { isCrowded } from '../../process/processLimit.ts';
import { endAllBut } from './endCrowd.ts';
import { ownsNamespace } from './ownNamespace.ts';
import type { StopBudget } from './stopBudget.ts';

/**
 * The room of the end: who asks for it, how much time there is, and how everybody of the bot is ended within it.
 *
 *   stopRequest    the first SIGTERM or SIGINT asks, the second hurries; other signals are the bot's own business
 *   stopBudget     `STOP_TIMEOUT` in shares: the bot's grace, the final sync, the exit itself
 *   endCrowd       no grace for a bot whose processes fill the container
 *   stopBot        SIGTERM to the group, and SIGKILL to it and all its descendants when the grace is over
 *   stopLater      what had all the time that it liked, until somebody asked
 *   endLeftovers   what outlives the bot's first process, in a container of our own everything else
 */

/** How often a group that was asked to end is looked at, milliseconds. */
const POLL_MS = 10;
/** What processes that outlive the bot's first one get between SIGTERM and SIGKILL, milliseconds. */
const LEFTOVER_GRACE_MS = 1000;

/** A process that leads a group. */
export interface Stoppable {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Signals the whole group. */
  signal(signal: NodeJS.Signals): boolean;
  /** When the first process has ended. */
  readonly ended: Promise<unknown>;
}

/**
 * Asks the bot's group to end, and ends it with all its descendants when its grace is over. Resolves when nobody is left
 * in it: a shell that ends at once must not cost the program that it started its grace.
 */
export async function stopBot(
  bot: Stoppable,
  budget: StopBudget,
  { clock, hurried }: { readonly clock: Clock; readonly hurried: AbortSignal },
): Promise<void> {
  bot.signal('SIGTERM');
  // A stopped process (SIGSTOP) would never see it.
  bot.signal('SIGCONT');
  const over = new AbortController();
  const waiting = AbortSignal.any([hurried, over.signal]);
  const grace = clock
    .sleep(Math.max(0, budget.graceEndsAt - clock.elapsed()), waiting)
    .catch(() => undefined);
  await Promise.race([groupEnded(bot, clock, waiting), grace]);
  over.abort();
  if (bot.pid !== undefined) {
    // All of them are found before the first is killed: an orphan has lost the parent that it is found by.
    for (const pid of botProcesses(readProcessTable(), bot.pid)) signalProcess(pid, 'SIGKILL');
  }
  bot.signal('SIGKILL');
  await bot.ended;
}

async function groupEnded(bot: Stoppable, clock: Clock, waiting: AbortSignal): Promise<void> {
  await bot.ended;
  while (!waiting.aborted && bot.pid !== undefined && botProcesses(readProcessTable(), bot.pid).length > 0) {
    await clock.sleep(POLL_MS, waiting).catch(() => undefined);
  }
}

export interface EndOptions {
  readonly clock: Clock;
  readonly hurried: AbortSignal;
  /** Where there is less time than they usually get between SIGTERM and SIGKILL, milliseconds. */
  readonly graceMs?: number | undefined;
}

/**
 * Ends what outlives the bot's first process: the rest of its group and, in a PID namespace of our own, everything
 * else but us and our helpers: those that there are each time, since one that has died is started again.
 */
export async function endLeftovers(
  bot: Stoppable,
  helpers: () => readonly number[],
  { clock, hurried, graceMs = LEFTOVER_GRACE_MS }: EndOptions,
): Promise<void> {
  const others = () => (ownsNamespace() ? leftovers(readProcessTable(), process.pid, helpers()) : []);
  const signalAll = (signal: NodeJS.Signals) => {
    const group = bot.signal(signal);
    return (
      others()
        .map((pid) => signalProcess(pid, signal))
        .includes(true) || group
    );
  };
  if (!signalAll('SIGTERM')) return;
  const until = clock.elapsed() + Math.min(LEFTOVER_GRACE_MS, graceMs);
  while (clock.elapsed() < until && !hurried.aborted) {
    if (
      bot.pid === undefined ||
      (botProcesses(readProcessTable(), bot.pid).length === 0 && others().length === 0)
    )
      return;
    await clock.sleep(POLL_MS, hurried).catch(() => undefined);
  }
  if (isCrowded() && ownsNamespace()) endAllBut(helpers());
  signalAll('SIGKILL');
}
