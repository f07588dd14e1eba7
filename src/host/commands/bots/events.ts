import { RuntimeError } from '../../../base/errors.ts';
import type { HostEvent } from '../../journal/event.ts';
import { askingCommand, botPath } from './ask.ts';
import { eventLine } from './words.ts';

export const events = askingCommand(
  {
    name: 'events',
    summary: 'what has happened, of one bot or of all',
    positionals: '[BOT]',
    details:
      '--json: an object a line, {"id","at","bot","type","message","facts"}, the oldest first; `at` in milliseconds.',
    options: {
      watch: { type: 'boolean', short: 'w', description: 'keep printing what happens' },
      limit: { type: 'string', value: 'N', description: 'how many, the newest (100)' },
    },
  },
  async ({ host, invocation, signal }) => {
    const { stdout, flags, positionals } = invocation;
    const [bot] = positionals;
    const query = new URLSearchParams({ limit: limitOf(flags.limit) });
    if (bot !== undefined) {
      botPath(bot);
      query.set('bot', bot);
    }
    const print = (event: HostEvent) =>
      stdout.write(flags.json ? `${JSON.stringify(event)}\n` : eventLine(event));
    if (!flags.watch) return void (await host.get<HostEvent[]>(`/events?${query}`)).forEach(print);
    query.set('follow', '1');
    for await (const event of host.lines<HostEvent>(`/events?${query}`, signal)) print(event);
  },
);

function limitOf(text: unknown): string {
  if (text === undefined) return '100';
  if (typeof text === 'string' && /^[1-9]\d{0,6}$/.test(text)) return text;
  throw new RuntimeError('usage', `--limit ${JSON.stringify(text)}: expected a number`);
}
