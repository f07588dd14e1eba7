import { askingCommand, botPath } from './ask.ts';

export const logs = askingCommand(
  {
    name: 'logs',
    summary: 'what the instance of a bot prints, or the last one has printed',
    positionals: 'BOT',
    options: {
      follow: { type: 'boolean', short: 'f', description: 'keep printing, over restarts and runs' },
      tail: { type: 'string', value: 'N', description: 'the last N lines alone' },
    },
    details: 'Older days are in the store: `runtime logs BOT`.',
  },
  async ({ host, invocation, signal }) => {
    const { stdout, flags, positionals } = invocation;
    const query = new URLSearchParams();
    if (flags.follow) query.set('follow', '1');
    if (typeof flags.tail === 'string') query.set('tail', flags.tail);
    for await (const bytes of host.stream(botPath(positionals[0], `/logs?${query}`), signal)) {
      if (!stdout.write(bytes)) await new Promise((resolve) => stdout.once('drain', resolve));
    }
  },
);
