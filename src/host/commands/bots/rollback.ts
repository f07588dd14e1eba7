import { askingCommand, botPath } from './ask.ts';

export const rollback = askingCommand(
  {
    name: 'rollback',
    summary: 'write the specification before the last change to the source',
    positionals: 'BOT',
    options: {
      at: {
        type: 'string',
        value: 'SEQUENCE',
        description: 'also this snapshot of its state, published again',
      },
    },
  },
  async ({ host, invocation }) => {
    const { stdout, flags, positionals } = invocation;
    const [bot] = positionals;
    const query = typeof flags.at === 'string' ? `?at=${encodeURIComponent(flags.at)}` : '';
    await host.send('POST', botPath(bot, `/rollback${query}`));
    const done = query === '' ? 'is wanted as it was before' : `is rolled back to snapshot ${flags.at}`;
    stdout.write(flags.json ? `${JSON.stringify({ bot })}\n` : `${bot} ${done}\n`);
  },
);
