import type { Clock } from '../../base/clock.ts';
import { isRuntimeError, type RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { whenAborted } from '../../base/whenAborted.ts';
import type { Config } from '../../bot/config/config.ts';
import { type Claim, parseClaim, resumeClaim } from '../../bot/state/claim/claim.ts';
import type { StateContext } from '../../bot/state/format/context.ts';
import { openSync } from '../../bot/sync/openSync.ts';
import { runSync } from '../../bot/sync/runSync.ts';
import type { Stores } from '../../store/openStores.ts';
import { groupMembers } from '../process/groupMembers.ts';
import type { PulledState } from '../process/messages.ts';
import { agentUsage } from './agentUsage.ts';
import { giveMemoryBack } from './giveMemoryBack.ts';
import type { SupervisorLink } from './supervisorLink.ts';

export interface ManagedOptions {
  readonly config: Config;
  readonly stores: Stores;
  readonly link: SupervisorLink;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The room of the process that saves: state and logs go to the store from here, by `runSync` (src/bot/sync), which knows nothing of
 * processes. Here is what it is told by whom.
 *
 *   managed        below a supervisor (`supervisorLink`): it says what was pulled, holds the bot still for a snapshot, and says when to
 *                  finish; when it dies, its guard ends the bot, and the state is saved one last time
 *   sidecar        in a container of its own: files tell what a channel tells elsewhere, and SIGTERM says when to finish
 *   healthServer   what an orchestrator asks the sidecar
 *   agentUsage     of an agent, what its turns have cost, too
 */

/** A sign of life for the supervisor this often, milliseconds. */
const ALIVE_MS = 20_000;
/** The longest that the supervisor's guard takes to end the bot, milliseconds. */
const ORPHAN_MS = 5000;
const POLL_MS = 50;

/** The sync daemon below a supervisor: told by it what was pulled and when to finish, and outlives its death only briefly. */
export async function runManaged(options: ManagedOptions): Promise<void> {
  const { config, link, clock, log } = options;
  const { pulled } = await link.started;
  const heartbeat = setInterval(() => void link.tell({ type: 'alive' }), ALIVE_MS);
  const finished = new AbortController();
  const usage = agentUsage(options);
  const onFenced = ({ message }: RuntimeError) => void link.tell({ type: 'fenced', message });
  const orphaned = async () => {
    await whenAborted(link.orphaned);
    // Ours follows once it knows what we have saved: that is not a death.
    if (!finished.signal.aborted) {
      log.error('the supervisor died; the bot is ended and its state saved one last time');
      const botGroup = link.botGroup();
      if (botGroup !== undefined) await ended(botGroup, clock);
    }
    return { budgetMs: config.stopTimeoutMs, endedWell: () => false };
  };
  try {
    let closed: Promise<void> | undefined;
    const finishing = Promise.race([link.finishing, orphaned()]).then((how) => {
      // Beside the final sync, whose time it would take.
      closed = usage.close();
      return how;
    });
    const sync = await openSync({
      ...options,
      claim: (context) => claimOf(context, pulled),
      freezer: link,
    });
    void link.tell({ type: 'ready' });
    // What earlier containers have used is asked for before anything has changed here.
    void usage.ship().catch(() => undefined);
    const outcome = await runSync({
      ...options,
      ...sync,
      shipUsage: usage.ship,
      onWork: giveMemoryBack(),
      botHasEnded: true,
      finishing,
      onSaveable: link.onSave,
      emit: link.emit,
      onFenced,
      onLogLag: (lagMs) => void link.tell({ type: 'logs', lagMs }),
      onPublished: (report) => void link.tell({ type: 'published', report }),
    });
    await closed;
    finished.abort();
    await link.tell({ type: 'finished', outcome });
  } catch (error) {
    if (!isRuntimeError(error, 'fenced')) throw error;
    onFenced(error);
    await link.tell({
      type: 'finished',
      outcome: { stateSaved: false, logsSaved: false, reason: error.message },
    });
  } finally {
    clearInterval(heartbeat);
    finished.abort();
  }
}

/** Waits until the guard has ended the bot. */
async function ended(botGroup: number, clock: Clock): Promise<void> {
  const members = groupMembers([botGroup]);
  const until = clock.now() + ORPHAN_MS;
  while (clock.now() < until && members.living().length > 0) await clock.sleep(POLL_MS);
}

/** The first daemon gets the head with the claim; a later one reads it, and sees whether it is still ours. */
async function claimOf(context: StateContext, pulled: PulledState): Promise<Claim> {
  const { signal } = new AbortController();
  return pulled.head === '' ? await resumeClaim(context, pulled, signal) : parseClaim(pulled, context.bot);
}
