import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import { giveUp, halt } from './change.ts';
import { nextDue } from './due.ts';
import type { Known } from './known.ts';
import type { Roster, RosterOptions } from './roster.ts';

const RETRY_MS = 5_000;

/** What happens to sandboxes without anybody asking: idle ones stop, old ones expire, deleted ones are forgotten, forks begin. */
export interface Housekeeping {
  due(one: Known): void;
  /** Begins the disk of one that is a fork, then starts it. Goes on where an earlier life was. */
  fork(one: Known): Promise<void>;
}

export function createHousekeeping(options: RosterOptions, roster: () => Roster): Housekeeping {
  const { clock, log, signal, keepDeletedMs } = options;
  const { api } = options.host;

  async function act(one: Known): Promise<void> {
    const { id } = one.record;
    const next = nextDue(one.record, one.lastActivityAt, keepDeletedMs);
    if (next === undefined) return;
    // Somebody has used it meanwhile.
    if (next.at > clock.now()) return roster().wake(id, next.at);
    try {
      if (next.what === 'idle') await roster().change(one, halt(one, 'idle'));
      else if (next.what === 'purge') await purge(one);
      else
        await roster().change(one, () => ({
          wanted: 'stopped',
          cause: 'lifetime',
          removedAt: clock.now(),
        }));
    } catch (error) {
      if (signal.aborted) return;
      log.error(`sandbox ${id}: ${asRuntimeError(error).message}`, { due: next.what });
      roster().wake(id, clock.now() + RETRY_MS);
    }
  }

  async function purge(one: Known): Promise<void> {
    const { id } = one.record;
    if (one.record.wanted !== 'gone') await roster().change(one, () => ({ wanted: 'gone' }));
    // Its last save would come after.
    if (api.bot(id) !== undefined || !api.status().engine.answers)
      return roster().wake(id, clock.now() + RETRY_MS);
    // Another host may have been told to take it, while this one did not reach the store: what it saves is not this one's to remove.
    await options.claims?.check(id);
    await one.turn;
    if (roster().find(id) !== one) return;
    await options.purge(id, signal);
    await roster().forget(id);
  }

  async function fork(one: Known): Promise<void> {
    const { from, id } = one.record;
    while (from !== undefined && !signal.aborted && one.record.wanted === 'running') {
      try {
        await options.fork(from, id, signal);
        return await roster().change(one, () => ({ toFork: false }));
      } catch (error) {
        if (signal.aborted) return;
        if (isRuntimeError(error, 'not-found', 'refused', 'damaged', 'config'))
          return roster().background(one, giveUp(error.message));
        log.warn(`sandbox ${id} cannot be begun yet: ${asRuntimeError(error).message}`);
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  return { due: (one) => void act(one), fork };
}
