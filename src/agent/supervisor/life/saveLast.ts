import { RuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import { syncBudgetMs } from '../stop/stopBudget.ts';
import type { DaemonLink } from './daemonLink.ts';
import { budgetOf, type Ended } from './endBot.ts';
import type { Ending } from './exitRecord.ts';

/** The final sync. What was not saved is in the ending, and wins over the bot's own code. */
export async function saveLast(ended: Ended): Promise<Ending> {
  const { daemon, query, guard, fenced, log } = ended;
  const outcome = daemon ? await finish(daemon, ended) : LEFT_TO_SIDECAR;
  query?.stop();
  guard.close();
  const { stateSaved, logsSaved, reason } = outcome;
  if (reason !== undefined) log.error(`not everything was saved: ${reason}`);
  return {
    bot: ended.exit,
    error: (fenced.reason as RuntimeError | undefined) ?? ended.refusal ?? unsaved(outcome),
    stateSaved: stateSaved && !fenced.aborted,
    logsSaved,
    startedAt: ended.startedAt,
    endedAt: ended.clock.now(),
  };
}

/** Nobody here has saved anything, and nothing went wrong. */
const LEFT_TO_SIDECAR: FinishOutcome = { stateSaved: false, logsSaved: false, reason: undefined };

/** Without a budget as long as bytes move; with one, also one that begins meanwhile, what is left of it. */
async function finish(daemon: DaemonLink, ended: Ended): Promise<FinishOutcome> {
  const left = () => {
    const budget = budgetOf(ended);
    return budget && syncBudgetMs(budget, ended.clock.now());
  };
  const finished = daemon.finish(left());
  if (!budgetOf(ended)) void whenAborted(ended.stop.requested).then(() => daemon.finish(left()));
  return await finished;
}

function unsaved({ reason }: FinishOutcome): RuntimeError | undefined {
  if (reason === undefined) return undefined;
  return new RuntimeError('unsaved', `the bot ended, but not everything was saved: ${reason}`, {
    hint: 'The last snapshot before that stands: `runtime state ls BOT`.',
  });
}
