import type { Clock } from '../../base/clock.ts';
import type { EventSink } from '../../bot/events/event.ts';
import type { Restored } from '../../bot/state/local/restoreReport.ts';
import type { Stores } from '../../store/openStores.ts';
import { blameCapability } from '../process/capabilities.ts';
import type { PulledState } from '../process/messages.ts';
import { forgetTakenOver } from '../process/takenOver.ts';
import type { LoadedBot } from './loadBot.ts';
import { newHolder } from './newHolder.ts';

export interface PullBotOptions {
  readonly stores: Stores;
  readonly signal: AbortSignal;
  readonly emit: EventSink;
  readonly clock: Clock;
  /** See `PullDeps`. */
  readonly onState?: (state: PulledState, kept: boolean, snapshot: Restored['snapshot']) => void;
}

/** Code, state and a new generation, for one life of the bot. */
export async function pullBot(
  { config, log, onPulling: onProgress }: LoadedBot,
  { onState, ...options }: PullBotOptions,
): Promise<PulledState> {
  const [{ pull }, { serializeClaim }] = await Promise.all([
    import('../../bot/sync/pull.ts'),
    import('../../bot/state/claim/claim.ts'),
  ]);
  try {
    const taken = await pull(config, {
      ...options,
      log,
      holder: newHolder(),
      onProgress,
      onState: onState && ((claim, ...rest) => onState(serializeClaim(claim), ...rest)),
    });
    forgetTakenOver(config.paths.logs);
    return serializeClaim(taken);
  } catch (error) {
    throw blameCapability(error, config.user);
  }
}
