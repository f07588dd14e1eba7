import type { Command } from '../base/command/command.ts';
import { stopSignal } from '../base/command/stopSignal.ts';
import { createLogger } from '../base/log.ts';
import { readBoxConfig } from './boxConfig.ts';
import { runBox } from './runBox.ts';

/** `runtime box`: the first process of a sandbox. */
export const box: Command = {
  name: 'box',
  summary: 'the API of one sandbox, from inside: commands, files, processes, terminals',
  positionals: '[COMMAND…]',
  options: {},
  details: `BOX_TOKEN is what it is asked with, BOX_PORT (9478) where, BOX_WORKSPACE its folder (where it was started).
With a COMMAND behind --, that is run beside it, with stdin, stdout and descriptor 3, and its end is the end of the box.`,
  run: async ({ positionals, env, cwd, stderr }) => {
    const stop = stopSignal();
    const log = createLogger({
      level: env.LOG_LEVEL === 'debug' ? 'debug' : 'info',
      format: 'json',
      role: 'box',
      now: Date.now,
      write: (line) => void stderr.write(line),
    });
    return await runBox(readBoxConfig(env, cwd), positionals, log, stop);
  },
};
