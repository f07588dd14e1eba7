import type { Command } from '../../base/command/command.ts';
import { size, writeJson } from '../../base/command/output.ts';
import { transferProgress } from '../../base/command/transferProgress.ts';
import { operate, stateOptions } from './operate.ts';

export const prune: Command = {
  name: 'prune',
  summary: 'delete what no kept snapshot needs',
  positionals: 'BOT',
  options: stateOptions({}),
  details:
    'What is younger than a day by the clock of the store stays: it may belong to a publish under way.',
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { prune } = await import('../../bot/state/history/prune.ts');
      const { requireHead } = await import('../../bot/state/read/snapshots.ts');
      // Where the head is gone nothing is known to be garbage, and an unknown bot is more likely a typo.
      await requireHead(context, signal);
      const { stdout, stderr, flags } = invocation;
      const progress = transferProgress(stderr, () => performance.now());
      const report = await prune(context, { signal, onProgress: progress.update }).finally(progress.end);
      if (flags.json) writeJson(stdout, report);
      else {
        const { deletedObjects, deletedBytes, keptObjects, youngObjects } = report;
        stdout.write(`${deletedObjects} objects deleted (${size(deletedBytes)}), ${keptObjects} in use, `);
        stdout.write(`${youngObjects} too young to be deleted\n`);
      }
      return 0;
    }),
};
