import { askingCommand, botPath } from './ask.ts';

export const token = askingCommand(
  { name: 'token', summary: "a token for one bot's queries", positionals: 'BOT' },
  async ({ host, invocation }) => {
    const { stdout, flags, positionals } = invocation;
    const answer = await host.send<{ token: string }>('POST', botPath(positionals[0], '/token'));
    stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : `${answer.token}\n`);
  },
);
