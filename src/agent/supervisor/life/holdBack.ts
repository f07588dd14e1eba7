import type { Clock } from '../../../base/clock.ts';
import type { BotProcess } from './botProcess.ts';

/** The longest that a bot stands still for it, milliseconds. */
const LONGEST_MS = 5000;

/**
 * Lets the bot stand still until what is returned is called, when whoever looks after its state is there: where there may be few processes,
 * a bot that starts as many as it can would leave none for that.
 */
export function holdBack(bot: Pick<BotProcess, 'signal'>, clock: Clock, ended: AbortSignal): () => void {
  bot.signal('SIGSTOP');
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = clock.sleep(LONGEST_MS, ended).catch(() => undefined);
  void Promise.race([promise, late]).then(() => bot.signal('SIGCONT'));
  return resolve;
}
