import { systemClock } from '../../base/clock.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { pull } from '../../bot/sync/pull.ts';
import { TO_RUN, TO_WRITE } from '../process/capabilities.ts';
import { preparePaths } from '../supervisor/life/preparePaths.ts';
import type { LoadedBot } from './loadBot.ts';
import { openBotStores } from './openBotStores.ts';

/** Pulls code and state for a query server that answers for a bot that does not run. No instance is fenced, and nothing is saved. */
export async function pullForQueries({ config, log }: LoadedBot): Promise<void> {
  preparePaths(config, [...TO_RUN, ...TO_WRITE]);
  const stores = await openBotStores(config, log);
  const emit = () => undefined;
  await pull(config, { stores, clock: systemClock, log, holder: undefined, emit, signal: stopSignal() });
  await stores.close();
}
