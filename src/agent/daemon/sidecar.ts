import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { asRuntimeError, isRuntimeError, RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { whenAborted } from '../../base/whenAborted.ts';
import type { Config } from '../../bot/config/config.ts';
import { type Claim, parseClaim } from '../../bot/state/claim/claim.ts';
import { claimLocal } from '../../bot/state/claim/claimLocal.ts';
import type { StateContext } from '../../bot/state/format/context.ts';
import { openSync } from '../../bot/sync/openSync.ts';
import { runSync } from '../../bot/sync/runSync.ts';
import type { Stores } from '../../store/openStores.ts';
import type { PulledState } from '../process/messages.ts';
import { tellTakenOver } from '../process/takenOver.ts';
import { agentUsage } from './agentUsage.ts';
import { giveMemoryBack } from './giveMemoryBack.ts';
import { serveHealth } from './healthServer.ts';
import { whenPulled } from './whenPulled.ts';

export interface SidecarOptions {
  readonly config: Config;
  readonly stores: Stores;
  /** Pulls code and state first; undefined: an init container has pulled. */
  readonly pull: ((signal: AbortSignal) => Promise<PulledState>) | undefined;
  /** Names this instance in the head. */
  readonly holder: string;
  /** Undefined: there is no health server. */
  readonly readinessPort: number | undefined;
  /** Aborted by SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The sync daemon without a supervisor: saves until it is stopped, and then once more within `STOP_TIMEOUT`. */
export async function runSidecar(options: SidecarOptions): Promise<void> {
  const { config, stop, log } = options;
  let ready = false;
  const startedAt = options.clock.now();
  const health =
    options.readinessPort === undefined ? undefined : await serveHealth(options.readinessPort, () => ready);
  try {
    const pulled = await options.pull?.(stop);
    if (!pulled) {
      const isThere = await whenPulled({
        ...options,
        bot: config.botId,
        dir: config.paths.state,
        onWaiting: () => {
          ready = true;
        },
        signal: stop,
      });
      if (!isThere) return;
    }
    const sync = await openSync({
      ...options,
      claim: (context) => claimOf(context, options, pulled),
      // The bot runs in another container: it cannot be stopped from here.
      freezer: undefined,
    }).catch((error: unknown) => {
      // Another instance has taken over while no sidecar ran.
      if (isRuntimeError(error, 'fenced')) tellBot(config, error, log);
      throw error;
    });
    ready = true;
    log.info('saving the state', { intervalMs: config.sync.intervalMs });
    const fenced = Promise.withResolvers<RuntimeError>();
    let takenOver: RuntimeError | undefined;
    const usage = agentUsage(options);
    void usage.ship().catch(() => undefined);
    const outcome = await runSync({
      ...options,
      ...sync,
      shipUsage: usage.ship,
      onWork: giveMemoryBack(),
      botHasEnded: false,
      finishing: Promise.race([whenAborted(stop), fenced.promise]).then(() => ({
        budgetMs: config.stopTimeoutMs,
        endedWell: () => hasEndedWell(config.paths.exitFile, startedAt),
      })),
      emit: () => undefined,
      onFenced: (error) => {
        takenOver = error;
        fenced.resolve(error);
        tellBot(config, error, log);
      },
      onPublished: () => undefined,
      onLogLag: () => undefined,
    });
    await usage.close();
    if (takenOver) throw takenOver;
    if (outcome.reason !== undefined) {
      throw new RuntimeError('unsaved', `not everything was saved: ${outcome.reason}`);
    }
  } finally {
    health?.close();
  }
}

/** Whether the bot in the other container has ended by itself with 0, by its supervisor's record. A record of an earlier life does not count. */
function hasEndedWell(exitFile: string, since: number): boolean {
  try {
    const record = JSON.parse(readFileSync(exitFile, 'utf8')) as {
      source?: string;
      code?: number | null;
      endedAt?: string;
    };
    return record.source === 'bot' && record.code === 0 && Date.parse(record.endedAt ?? '') >= since;
  } catch {
    return false;
  }
}

function tellBot({ paths }: Config, { message }: RuntimeError, log: Logger): void {
  try {
    tellTakenOver(paths.logs, message);
  } catch (error) {
    log.error('the bot cannot be told that another instance has taken over', {
      reason: asRuntimeError(error).message,
    });
  }
}

async function claimOf(
  context: StateContext,
  { config, holder, stop }: SidecarOptions,
  pulled: PulledState | undefined,
): Promise<Claim> {
  if (pulled) return parseClaim(pulled, context.bot);
  return await claimLocal(context, { holder, dir: config.paths.state, signal: stop });
}
