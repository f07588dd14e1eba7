import type { Command } from '../../../base/command/command.ts';
import { writeJson } from '../../../base/command/output.ts';
import { askingCommand, botPath } from './ask.ts';

/** A command that asks one thing about one bot, and says what comes of it. */
function change(name: string, summary: string, said: (bot: string) => string): Command {
  return askingCommand({ name, summary, positionals: 'BOT' }, async ({ host, invocation }) => {
    const [bot] = invocation.positionals;
    const method = name === 'rm' ? 'DELETE' : 'POST';
    await host.send(method, botPath(bot, name === 'rm' ? '' : `/${name}`));
    if (invocation.flags.json) writeJson(invocation.stdout, { bot, [name]: true });
    else invocation.stdout.write(`${said(bot!)}\n`);
  });
}

export const enable = change(
  'enable',
  'write to the source that a bot is to run',
  (bot) => `${bot} is enabled`,
);
export const disable = change('disable', 'write to the source that it is not', (bot) => `${bot} is disabled`);
export const rm = change('rm', 'take a bot out of the source', (bot) => `${bot} is no longer wanted`);
export const restart = change(
  'restart',
  'stop a bot in order and start it again, whatever it waited for',
  (bot) => `${bot} is being restarted`,
);
