import type { Command } from '../../base/command/command.ts';
import { shown, writeJson, writeTable } from '../../base/command/output.ts';
import { operate, sequenceOf, stateOptions } from './operate.ts';

export const diff: Command = {
  name: 'diff',
  summary: 'what differs between two snapshots',
  positionals: 'BOT FROM [TO]',
  options: stateOptions({}),
  details: 'FROM and TO are sequences as in `runtime state ls`; TO is by default the newest.',
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { diffSnapshots } = await import('../../bot/state/history/diffSnapshots.ts');
      const { stdout, flags, positionals } = invocation;
      const range = { from: sequenceOf(positionals[1])!, to: sequenceOf(positionals[2]) };
      const differences = await diffSnapshots(context, range, signal);
      if (flags.json) writeJson(stdout, differences);
      else {
        const rows = differences.map(({ change, what, path }) => [change, what.join(','), shown(path)]);
        writeTable(stdout, ['CHANGE', 'WHAT', 'PATH'], rows);
      }
      return 0;
    }),
};
