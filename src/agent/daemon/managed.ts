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
 * The room of the process that saves: it brings state and logs to the store, by `runSync` (src/bot/sync), which knows nothing of
 * processes. The files of this room say who tells `runSync` what:
 *
 *   managed        below a supervisor (`supervisorLink`): the supervisor says what was pulled, stops the bot for a snapshot, and says when
 *                  to finish; when it dies, its guard ends the bot, and the daemon saves the state one last time
 *   sidecar        in a container of its own: files take the place of the channel, and SIGTERM says when to finish
 *   healthServer   answers an orchestrator's probes of the sidecar
 *   agentUsage     ships what the turns of an agent have cost
 */

/** How often the supervisor gets a sign of life, milliseconds. */
const ALIVE_MS = 20_000;
/** The longest time that the supervisor's guard takes to end the bot, milliseconds. */
const ORPHAN_MS = 5000;
const POLL_MS = 50;

/** The sync daemon below a supervisor. The supervisor tells it what was pulled and when to finish; it outlives the supervisor only briefly. */
export async function runManaged(options: ManagedOptions): Promise<void> {
  const { config, link, clock, log } = options;
  const { pulled } = await link.started;
  const heartbeat = setInterval(() => void link.tell({ type: 'alive' }), ALIVE_MS);
  const finished = new AbortController();
  const usage = agentUsage(options);
  let closed: Promise<void> | undefined;
  const onFenced = ({ message }: RuntimeError) => void link.tell({ type: 'fenced', message });
  const orphaned = async () => {
    await whenAborted(link.orphaned);
    // This process ends once the supervisor knows what was saved: the end of the channel is no death then.
    if (!finished.signal.aborted) {
      log.error('the supervisor died; the bot is ended and its state saved one last time');
      const botGroup = link.botGroup();
      if (botGroup !== undefined) await ended(botGroup, clock);
    }
    return { budgetMs: config.stopTimeoutMs, endedWell: () => false };
  };
  try {
    const finishing = Promise.race([link.finishing, orphaned()]).then((how) => {
      // At the same time as the final sync, so that it takes none of its time.
      closed = usage.close();
      return how;
    });
    const sync = await openSync({
      ...options,
      claim: (context) => claimOf(context, pulled),
      freezer: link,
    });
    void link.tell({ type: 'ready' });
    // The usage of earlier containers is read before anything changes here.
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
    if (!closed) await usage.close();
    clearInterval(heartbeat);
    finished.abort();
  }
}

/** Waits until the guard has ended the bot. */
async function ended(botGroup: number, clock: Clock): Promise<void> {
  const members = groupMembers([botGroup]);
  const until = clock.elapsed() + ORPHAN_MS;
  while (clock.elapsed() < until && members.living().length > 0) await clock.sleep(POLL_MS);
}

/** The head. The first daemon gets it with the claim; a later one reads it, and sees whether this instance still has the generation. */
async function claimOf(context: StateContext, pulled: PulledState): Promise<Claim> {
  const { signal } = new AbortController();
  return pulled.head === '' ? await resumeClaim(context, pulled, signal) : parseClaim(pulled, context.bot);
}
