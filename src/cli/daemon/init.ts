import { systemClock } from '../../clock.ts';
import { removeExitRecord } from '../../supervisor/exitRecord.ts';
import { preparePaths } from '../../supervisor/preparePaths.ts';
import type { Command } from '../command.ts';
import { configOptions } from '../configOptions.ts';
import { loadBot } from '../loadBot.ts';
import { pullBot } from '../pullBot.ts';
import { stopSignal } from '../stopSignal.ts';

export const init: Command = {
  name: 'init',
  summary: 'pull code and state once, then exit: an init container',
  positionals: '',
  options: configOptions(),
  details: 'Takes a generation of the bot; `runtime daemon sync` in the same pod goes on in it.',
  run: async (invocation) => {
    const bot = await loadBot(invocation, { role: 'daemon', speaker: 'init' });
    preparePaths(bot.config);
    removeExitRecord(bot.config.paths);
    const { generation } = await pullBot(bot, {
      signal: stopSignal(),
      emit: () => undefined,
      clock: systemClock,
    });
    bot.log.info('code and state are in place', { generation });
    return 0;
  },
};
