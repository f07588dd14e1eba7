import type { Command } from '../../base/command/command.ts';
import { size, writeJson } from '../../base/command/output.ts';
import { transferProgress } from '../../base/command/transferProgress.ts';
import { operate, stateOptions } from './operate.ts';

/** As for any damaged data. */
const DAMAGED = 65;

export const verify: Command = {
  name: 'verify',
  summary: 'read every object that a kept snapshot needs and check each byte',
  positionals: 'BOT',
  options: stateOptions({}),
  details: 'Exits 0 when all is well, 65 when something is damaged or missing; each such object is named.',
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { verify } = await import('../../bot/state/history/verify.ts');
      const { stdout, stderr, flags } = invocation;
      const progress = transferProgress(stderr, () => performance.now());
      const report = await verify(context, {
        signal,
        onProgress: progress.update,
      }).finally(progress.end);
      if (flags.json) writeJson(stdout, report);
      else {
        for (const { key, problem, snapshots } of report.problems) {
          stdout.write(`${key}: ${problem} (snapshots ${snapshots.join(', ')})\n`);
        }
        const verdict = report.problems.length === 0 ? 'all is well' : `${report.problems.length} damaged`;
        const { snapshots, packs, bytes } = report;
        stdout.write(`${snapshots} snapshots, ${packs} packs, ${size(bytes)}: ${verdict}\n`);
      }
      return report.problems.length === 0 ? 0 : DAMAGED;
    }),
};
