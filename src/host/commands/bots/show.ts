import type { BotView } from '../../api/hostApi.ts';
import type { HostEvent } from '../../journal/event.ts';
import { type Asked, askingCommand, botPath } from './ask.ts';
import { printJson, watch } from './watch.ts';
import { ago, eventLine } from './words.ts';

const EVENTS = 10;

export const show = askingCommand(
  {
    name: 'show',
    summary: 'one bot: conditions, instances, last runs, what happened last',
    positionals: 'BOT',
    options: {
      watch: { type: 'boolean', short: 'w', description: 'print again whenever something of it changes' },
    },
  },
  (asked) => watch(asked, () => print(asked), asked.invocation.positionals[0]),
);

async function print({ host, invocation }: Asked): Promise<void> {
  const { stdout, flags, positionals } = invocation;
  const [name] = positionals;
  const bot = await host.get<BotView>(botPath(name));
  const events = await host.get<HostEvent[]>(`/events?bot=${encodeURIComponent(bot.name)}&limit=${EVENTS}`);
  if (flags.json) return printJson(invocation, { ...bot, events });
  stdout.write(text(bot));
  stdout.write('events:\n');
  for (const event of events) stdout.write(`  ${eventLine(event)}`);
}

function text(bot: BotView): string {
  const lines = [
    `${bot.name}: ${bot.state}`,
    `written in: ${bot.origin ?? 'nothing'}`,
    ...(bot.spec === undefined
      ? []
      : [
          `type: ${bot.spec.type}, ${bot.spec.runtime}, ${bot.spec.enabled ? 'enabled' : 'disabled'}`,
          `code: ${bot.spec.code.file}`,
          ...(bot.spec.schedule === undefined
            ? []
            : [`schedule: ${bot.spec.schedule.cron} (${bot.spec.schedule.timeZone})`]),
        ]),
    `made of: ${bot.hash ?? 'not known yet'}`,
    ...(bot.nextRun === undefined ? [] : [`next run: ${iso(bot.nextRun)}`]),
    ...(bot.lastRun === undefined
      ? []
      : [`last run: ${iso(bot.lastRun.time)} ${bot.lastRun.outcome}${exit(bot.lastRun.exitCode)}`]),
    ...(bot.lastEnd === undefined ? [] : [`last end: ${iso(bot.lastEnd.at)} ${bot.lastEnd.reason}`]),
    `failures in a row: ${bot.failures}`,
    'conditions:',
    ...bot.conditions.map(
      ({ type, status, reason, message, since }) =>
        `  ${type}=${status} ${reason} for ${ago(since)}: ${message}`,
    ),
    'instances:',
    ...bot.instances.map(
      ({ name, state, startedAt, exitCode, hash }) =>
        `  ${name} ${state}${startedAt === undefined ? '' : ` since ${iso(startedAt)}`}${exit(exitCode)} ${hash}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

const iso = (time: number) => new Date(time).toISOString();
const exit = (code: number | undefined) => (code === undefined ? '' : ` exit code ${code}`);
