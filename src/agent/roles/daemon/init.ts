import { systemClock } from '../../../base/clock.ts';
import type { Command } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { configOptions } from '../../../bot/config/configOptions.ts';
import { TO_WRITE } from '../../process/capabilities.ts';
import { removeExitRecord } from '../../supervisor/life/exitRecord.ts';
import { preparePaths } from '../../supervisor/life/preparePaths.ts';
import { loadBot } from '../loadBot.ts';
import { openBotStores } from '../openBotStores.ts';
import { pullBot } from '../pullBot.ts';

export const init: Command = {
  name: 'init',
  summary: 'pull code and state once, then exit: an init container',
  positionals: '',
  options: configOptions(),
  details: 'Takes a generation of the bot; `runtime daemon sync` in the same pod continues in it.',
  run: async (invocation) => {
    const bot = await loadBot(invocation, { role: 'daemon', speaker: 'init' });
    preparePaths(bot.config, TO_WRITE);
    removeExitRecord(bot.config.paths);
    const { generation } = await pullBot(bot, {
      stores: await openBotStores(bot.config, bot.log),
      signal: stopSignal(),
      emit: () => undefined,
      clock: systemClock,
    });
    bot.log.info('code and state are in place', { generation });
    return 0;
  },
};
