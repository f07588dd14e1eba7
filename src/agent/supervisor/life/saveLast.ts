import { RuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { FinishOutcome } from '../../../bot/sync/finishOutcome.ts';
import { syncBudgetMs } from '../stop/stopBudget.ts';
import { budgetOf, type Ended } from './endBot.ts';
import type { Ending } from './exitRecord.ts';

/** The final sync. The ending says what was not saved, which wins over the bot's own code. */
export async function saveLast(ended: Ended): Promise<Ending> {
  const { fenced, log } = ended;
  const stopped = ended.stop.requested.aborted;
  const outcome = withLostLines(await save(ended), ended);
  ended.helpers().query?.stop();
  const { stateSaved, logsSaved, reason } = outcome;
  if (reason !== undefined) log.error(`not everything was saved: ${reason}`);
  return {
    bot: ended.exit,
    error: (fenced.reason as RuntimeError | undefined) ?? ended.refusal ?? unsaved(outcome),
    stopped,
    stateSaved: stateSaved && !fenced.aborted,
    logsSaved,
    startedAt: ended.startedAt,
    endedAt: ended.clock.now(),
  };
}

/** The time for the final sync: what is left of the budget, which may begin meanwhile; without one, as long as bytes move. */
async function save(ended: Ended): Promise<FinishOutcome> {
  const { parts, pulled, stop, clock } = ended;
  const { daemon } = ended.helpers();
  const left = () => {
    const budget = budgetOf(ended);
    return budget && syncBudgetMs(budget, clock.elapsed());
  };
  if (daemon) {
    const stoppedLate = budgetOf(ended) ? NEVER : whenAborted(stop.requested);
    const finished = daemon.finish(left(), endedWell(ended));
    void stoppedLate.then(() => daemon.finish(left(), endedWell(ended)));
    return await finished;
  }
  if (!parts.sync || !pulled) return LEFT_TO_SIDECAR;
  const { saveHere } = await import('./saveHere.ts');
  return await saveHere({ ...ended, pulled }, left, endedWell(ended));
}

/** Whether the bot has ended well: only then are the outputs of its task complete. */
function endedWell({ exit, refusal }: Ended): boolean {
  return exit.code === 0 && refusal === undefined;
}

/** The shipper sees the journal, not what its disk has refused. */
function withLostLines(outcome: FinishOutcome, { capture, config }: Ended): FinishOutcome {
  const { endLost, refused } = capture.stats;
  if (!endLost && refused === 0) return outcome;
  const { logs } = config.paths;
  const lost = endLost
    ? `logs: the disk of ${logs} is full, and the last lines are missing`
    : `logs: the disk of ${logs} was full, and ${refused} lines are missing where the log says so`;
  return { ...outcome, logsSaved: false, reason: [outcome.reason, lost].filter(Boolean).join('; ') };
}

const NEVER = new Promise<never>(() => undefined);
/** The outcome where this container saves nothing: nothing saved, nothing failed. */
const LEFT_TO_SIDECAR: FinishOutcome = { stateSaved: false, logsSaved: false, reason: undefined };

function unsaved({ reason }: FinishOutcome): RuntimeError | undefined {
  if (reason === undefined) return undefined;
  return new RuntimeError('unsaved', `the bot ended, but not everything was saved: ${reason}`, {
    hint: 'The snapshot before that is kept: `runtime state ls BOT`.',
  });
}
