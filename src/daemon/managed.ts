import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { asRuntimeError, isRuntimeError } from '../errors.ts';
import type { PulledState } from '../events/messages.ts';
import type { Logger } from '../log.ts';
import { type Claim, parseClaim, resumeClaim } from '../state/claim.ts';
import type { StateContext } from '../state/context.ts';
import type { Stores } from '../store/openStores.ts';
import { endOrphanedBot } from './endOrphanedBot.ts';
import { openSync } from './openSync.ts';
import { runSync } from './runSync.ts';
import type { SupervisorLink } from './supervisorLink.ts';

export interface ManagedOptions {
  readonly config: Config;
  readonly stores: Stores;
  readonly link: SupervisorLink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A sign of life for the supervisor this often, milliseconds. */
const ALIVE_MS = 20_000;

/** The sync daemon below a supervisor: told by it what was pulled and when to finish, and outlives its death only briefly. */
export async function runManaged(options: ManagedOptions): Promise<void> {
  const { config, link, clock, log } = options;
  const { pulled, botGroup } = await link.started;
  const heartbeat = setInterval(() => link.tell({ type: 'alive' }), ALIVE_MS);
  const orphaned = new Promise<{ budgetMs: number }>((resolve) => {
    link.orphaned.addEventListener('abort', async () => {
      log.error('the supervisor died; the bot is ended and its state saved one last time');
      if (botGroup !== undefined) await endOrphanedBot(botGroup, clock);
      resolve({ budgetMs: config.stopTimeoutMs });
    });
  });
  try {
    const sync = await openSync({
      ...options,
      claim: (context) => claimOf(context, pulled),
      freezer: link,
      emit: link.emit,
    });
    link.tell({ type: 'ready' });
    const outcome = await runSync({
      ...options,
      ...sync,
      botHasEnded: true,
      finishing: Promise.race([link.finishing, orphaned]),
      emit: link.emit,
      onLogLag: (lagMs) => link.tell({ type: 'logs', lagMs }),
      onPublished: (report) => link.tell({ type: 'published', report }),
    });
    link.tell({ type: 'finished', outcome });
  } catch (error) {
    const { message } = asRuntimeError(error);
    if (!isRuntimeError(error, 'fenced')) throw error;
    link.tell({ type: 'fenced', message });
    link.tell({ type: 'finished', outcome: { stateSaved: false, logsSaved: false, reason: message } });
  } finally {
    clearInterval(heartbeat);
  }
}

/** The first daemon gets the head with the claim; a later one reads it, and sees whether it is still ours. */
async function claimOf(context: StateContext, pulled: PulledState): Promise<Claim> {
  const { signal } = new AbortController();
  return pulled.head === '' ? await resumeClaim(context, pulled, signal) : parseClaim(pulled, context.bot);
}
