import { asRuntimeError, type RuntimeError } from '../../../base/errors.ts';
import { awaitCause } from './awaitCause.ts';
import { endBot } from './endBot.ts';
import { describeExit, type Ending, type ExitRecord } from './exitRecord.ts';
import { beginLife, type Life, type LifeOptions } from './life.ts';
import { saveLast } from './saveLast.ts';
import { startHelpers } from './startHelpers.ts';
import { startUp } from './startUp.ts';

/**
 * The room of a bot's life: from the configuration to the record of how it ended. A life is a list of phases. Each is a file, takes
 * what the phases before it have found, and adds to it:
 *
 *   beginLife      signals are listened to
 *   startUp        code and state are there, and the bot runs
 *   startHelpers   sync daemon and query server run: the bot did not have to wait for them
 *   awaitCause     the life's end has a cause: the bot itself, a signal, another instance
 *   endBot         no process of the bot is left, and all of its output is kept
 *   saveLast       state and logs are in the store
 *   describeExit   what exit.json says
 *
 * Where a start fails, `saveHeld` saves what an earlier life has left.
 *
 * Other files work as long as the bot runs: `daemonLink` and `queryLink` start their processes again (both by `keepRole`), `eventRelay`
 * brings events to the query server, `freezer` stops the bot for a snapshot.
 */
export async function execute(options: LifeOptions): Promise<ExecuteResult> {
  const life = beginLife(options);
  const ending = await live(life).catch((error: unknown) => failed(life, error));
  life.guard.close();
  life.stop.close();
  return { record: describeExit(ending), error: ending.error };
}

export interface ExecuteResult {
  /** The record that exit.json holds; its `exit` is the container's exit code. */
  readonly record: ExitRecord;
  /** Why the runtime itself ended the life; undefined where it did not. */
  readonly error: RuntimeError | undefined;
}

async function live(life: Life): Promise<Ending> {
  const started = await startUp(life);
  const helped = startHelpers(started);
  const caused = await awaitCause(helped);
  const ended = await endBot(caused);
  return await saveLast(ended);
}

/** Nothing of the bot has run. The state of an earlier life on the same volume may not be saved yet. */
async function failed(life: Life, error: unknown): Promise<Ending> {
  await life.capture.close();
  const { saveHeld } = await import('./saveHeld.ts');
  const { stateSaved, logsSaved } = await saveHeld(life);
  const times = { startedAt: life.startedAt, endedAt: life.clock.now() };
  return { bot: undefined, error: asRuntimeError(error), stateSaved, logsSaved, ...times };
}
