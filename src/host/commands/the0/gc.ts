import { systemClock } from '../../../base/clock.ts';
import type { Command } from '../../../base/command/command.ts';
import { stopSignal } from '../../../base/command/stopSignal.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { parseDuration } from '../../../bot/config/duration.ts';
import { the0Options } from './part.ts';

export const gc: Command = {
  name: 'gc',
  summary: "the0's command: removes what bots have left in the store that its database no longer has",
  positionals: '',
  options: {
    ...the0Options,
    interval: { type: 'string', value: 'T', description: 'again and again; 0: once (0)' },
    'dry-run': { type: 'boolean', description: 'only say what would be removed' },
  },
  details: [
    'Removes state and logs of bots that neither collection has, seven days after their last change by the store’s clock.',
    'Refuses (77) when the database has no bot at all, or when more than a tenth of all bots in the store would go: a wrong or an',
    'empty database must not empty the store.',
  ].join('\n'),
  run: async ({ flags, env: given, stderr, stdout }) => {
    const everyMs = intervalOf(flags.interval);
    const uri = (flags['mongo-uri'] as string | undefined) || given.MONGO_URI || 'mongodb://localhost:27017';
    const { loadHost } = await import('../../run/loadHost.ts');
    const { config, log } = await loadHost({ env: given, stderr });
    const { collectGarbage } = await import('../../run/collectGarbage.ts');
    const signal = stopSignal();
    const say = (line: string) => void stdout.write(`${line}\n`);
    for (;;) {
      try {
        await collectGarbage({ config, uri, dryRun: flags['dry-run'] === true, say }, signal);
      } catch (error) {
        if (everyMs === 0 || signal.aborted) throw error;
        log.warn(`nothing is removed: ${(error as Error).message}`);
      }
      if (everyMs === 0) return 0;
      await systemClock.sleep(everyMs, signal);
    }
  },
};

function intervalOf(text: unknown): number {
  if (text === undefined || text === '0' || text === '0s') return 0;
  const parsed = typeof text === 'string' ? parseDuration(text) : undefined;
  if (parsed) return parsed;
  throw new RuntimeError('usage', `--interval ${JSON.stringify(text)}: expected a duration such as 5m, or 0`);
}
