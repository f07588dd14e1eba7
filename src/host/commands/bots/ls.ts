import { writeTable } from '../../../base/command/output.ts';
import type { BotView, HostStatus } from '../../api/hostApi.ts';
import { type Asked, askingCommand } from './ask.ts';
import { printJson, watch } from './watch.ts';
import { ago, whyOf } from './words.ts';

export const ls = askingCommand(
  {
    name: 'ls',
    summary: 'all bots: what is wanted, what is, and why not',
    positionals: '',
    options: {
      watch: { type: 'boolean', short: 'w', description: 'print again whenever something changes' },
      all: {
        type: 'boolean',
        short: 'a',
        description: 'also bots that are gone, while their last containers are kept',
      },
      state: {
        type: 'string',
        value: 'STATE',
        description: 'only those in this state: running, held, backoff, …',
      },
    },
  },
  (asked) => watch(asked, () => print(asked)),
);

async function print({ host, invocation }: Asked): Promise<void> {
  const { stdout, stderr, flags } = invocation;
  const [status, all] = await Promise.all([host.get<HostStatus>('/status'), host.get<BotView[]>('/bots')]);
  const isAsked = ({ state }: BotView) =>
    flags.state === undefined ? flags.all === true || state !== 'gone' : state === flags.state;
  const bots = all.filter(isAsked).sort(byName);
  if (flags.json) return printJson(invocation, bots);
  const header = ['BOT', 'TYPE', 'STATE', 'SINCE', 'FAILURES', 'NEXT', 'WHY'];
  if (flags.watch && stdout.isTTY) stdout.write('\x1b[H\x1b[2J');
  // In a pipe too: it is read by people there as well, and programs have --json.
  if (!stdout.isTTY && bots.length > 0) stdout.write(`${header.join('\t')}\n`);
  if (bots.length > 0) writeTable(stdout, header, bots.map(row));
  else stderr.write(`${noBots(status, all.length, flags.state)}\n`);
  if (status.draining) stderr.write('the host is being drained: `runtime bots resume` starts them again\n');
  if (status.heldDeletes > 0)
    stderr.write(
      `${status.heldDeletes} bots are gone from the source and kept: \`runtime bots confirm\` lets them go\n`,
    );
  if (status.heldElsewhere > 0)
    stderr.write(
      `${status.heldElsewhere} bots are not run here: another host has them (\`runtime bots show BOT\` says which)\n`,
    );
  if (status.ownersProblem !== undefined) {
    const waits = status.askingStore > 0 ? `${status.askingStore} bots wait for the store: ` : '';
    stderr.write(`${waits}${status.ownersProblem}\n`);
  }
  if (!status.engine.answers) stderr.write(`the ${status.engine.name} engine does not answer\n`);
  if (!status.source.answers) {
    const not = status.source.listedAt === undefined ? 'has not been read yet' : 'does not answer';
    stderr.write(`the source ${status.source.label} ${not}\n`);
  }
}

/** Why there is nothing to be seen. */
function noBots({ source, elsewhere }: HostStatus, others: number, state: unknown): string {
  if (state !== undefined) return `no bot is ${state}`;
  if (elsewhere > 0)
    return `no bots: this host runs none of the ${elsewhere} in ${source.label} (runtime host --only)`;
  return others > 0 ? 'no bots but some that are gone: --all shows them' : `no bots in ${source.label}`;
}

function row(bot: BotView): string[] {
  const ready = bot.conditions.find(({ type }) => type === 'Ready');
  return [
    bot.name,
    bot.spec?.type ?? '?',
    bot.state,
    ready === undefined ? '' : ago(ready.since),
    String(bot.failures),
    bot.nextRun === undefined ? '' : new Date(bot.nextRun).toISOString(),
    whyOf(bot),
  ];
}

const byName = (a: BotView, b: BotView) => (a.name < b.name ? -1 : 1);
