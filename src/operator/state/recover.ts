import type { Command } from '../../base/command/command.ts';
import { size, writeJson } from '../../base/command/output.ts';
import { operate, stateOptions } from './operate.ts';

export const recover: Command = {
  name: 'recover',
  summary: 'write the head again from the newest good manifests, when it is gone or damaged',
  positionals: 'BOT',
  options: stateOptions({}),
  details:
    'For a bot that does not start because its head is gone or damaged. Snapshots inside the head are lost with it: first look\nfor an earlier version of that object. Every running instance of the bot is fenced.',
  run: (invocation) =>
    operate(invocation, async ({ context, config, signal }) => {
      const { recover } = await import('../../bot/state/history/recover.ts');
      const report = await recover(context, { keep: config.sync.keep, signal });
      const { stdout, flags } = invocation;
      if (flags.json) writeJson(stdout, report);
      else {
        for (const { manifest, reason } of report.damaged)
          stdout.write(`manifests/${manifest} left out: ${reason}\n`);
        for (const { sequence, createdAt, files, bytes } of report.snapshots) {
          stdout.write(`snapshot ${sequence} of ${createdAt}: ${files} files, ${size(bytes)}\n`);
        }
        stdout.write('there is a head again; `runtime state verify` reads every byte\n');
      }
      return 0;
    }),
};
