import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Config } from '../../bot/config/config.ts';
import type { Stores } from '../../store/openStores.ts';

/** The bot's buckets, patient for `START_TIMEOUT` a call; each retry is one line in the log. */
export async function openBotStores(config: Config, log: Logger): Promise<Stores> {
  const { openStores } = await import('../../store/openStores.ts');
  return openStores(config, {
    clock: systemClock,
    random: Math.random,
    onRetry: ({ store, attempt, delayMs, error }) =>
      log.warn(`${store} does not answer, trying again: ${error.message}`, {
        attempt,
        delayMs: Math.round(delayMs),
      }),
  });
}
