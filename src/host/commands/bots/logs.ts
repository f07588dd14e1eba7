import { askingCommand, botPath } from './ask.ts';

export const logs = askingCommand(
  {
    name: 'logs',
    summary: 'what the instance of a bot prints, or the last one has printed',
    positionals: 'BOT',
    options: {
      watch: { type: 'boolean', short: 'w', description: 'the same as --follow' },
      follow: { type: 'boolean', short: 'f', description: 'keep printing, over restarts and runs' },
      tail: { type: 'string', value: 'N', description: 'the last N lines alone' },
    },
    details: '--json: an object a line, {"bot","line"}. Older days are in the store: `runtime logs BOT`.',
  },
  async ({ host, invocation, signal }) => {
    const { stdout, flags, positionals } = invocation;
    const query = new URLSearchParams();
    if (flags.follow || flags.watch) query.set('follow', '1');
    if (typeof flags.tail === 'string') query.set('tail', flags.tail);
    const [bot] = positionals;
    const printed = host.stream(botPath(bot, `/logs?${query}`), signal);
    for await (const piece of flags.json ? asJson(bot, printed) : printed)
      if (!stdout.write(piece)) await new Promise((resolve) => stdout.once('drain', resolve));
  },
);

async function* asJson(bot: string | undefined, printed: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const object = (line: string) => `${JSON.stringify({ bot, line })}\n`;
  let rest = '';
  for await (const bytes of printed) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.map(object);
  }
  if (rest !== '') yield object(rest);
}
