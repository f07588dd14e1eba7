import type { Clock } from '../../../base/clock.ts';
import type { BotProcess } from './botProcess.ts';

/** The longest time that a bot is stopped for it, milliseconds. */
const LONGEST_MS = 5000;

/**
 * Stops the bot until the returned function is called, which is done once the daemon runs. Where the container may have few
 * processes, a bot that starts as many as it can would leave none for the daemon.
 */
export function holdBack(bot: Pick<BotProcess, 'signal'>, clock: Clock, ended: AbortSignal): () => void {
  bot.signal('SIGSTOP');
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = clock.sleep(LONGEST_MS, ended).catch(() => undefined);
  void Promise.race([promise, late]).then(() => bot.signal('SIGCONT'));
  return resolve;
}
