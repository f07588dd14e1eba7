import { writeJson } from '../../../base/command/output.ts';
import { askingCommand, botPath } from './ask.ts';

export const run = askingCommand(
  { name: 'run', summary: 'one run of a scheduled bot now, beside its schedule', positionals: 'BOT' },
  async ({ host, invocation }) => {
    const { stdout, flags, positionals } = invocation;
    const [bot] = positionals;
    const { time } = await host.send<{ time: number }>('POST', botPath(bot, '/run'));
    if (flags.json) writeJson(stdout, { bot, time });
    else stdout.write(`${bot} runs, as the run of ${new Date(time).toISOString()}\n`);
  },
);
