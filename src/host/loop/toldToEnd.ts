import { constants } from 'node:os';
import type { Instance } from '../engine/engine.ts';
import type { Recorded } from '../reconcile/recorded.ts';

/**
 * An end with 0, or by SIGTERM, that nobody has written down yet, of an instance that was told to end by somebody else than this host: an engine that
 * is stopped, a machine that goes down. The bot has not ended by itself then. `says`: what the instance has left about it.
 */
export function toldToEnd(
  instances: readonly Instance[] | undefined,
  recorded: Recorded,
  says: () => boolean,
): boolean {
  const ended = instances?.find(({ role, state, exitCode, id }) => {
    const isOrderly = exitCode === 0 || exitCode === 128 + constants.signals.SIGTERM;
    return role === 'bot' && state === 'ended' && isOrderly && recorded.ended?.id !== id;
  });
  return ended !== undefined && recorded.stopping?.id !== ended.id && says();
}
