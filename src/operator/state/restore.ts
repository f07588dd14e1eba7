import { resolve } from 'node:path';
import type { Command } from '../../base/command/command.ts';
import { writeJson } from '../../base/command/output.ts';
import { transferProgress } from '../../base/command/transferProgress.ts';
import { operate, sequenceOf, stateOptions } from './operate.ts';

export const restore: Command = {
  name: 'restore',
  summary: 'put a snapshot, or one file or folder of it, into a directory',
  positionals: 'BOT [PATH]',
  options: stateOptions({
    at: { type: 'string', value: 'SEQUENCE', description: 'which snapshot; by default the newest' },
    to: {
      type: 'string',
      value: 'DIR',
      description: 'a directory that is empty or not there yet (./BOT-state)',
    },
  }),
  details: 'Nothing in the store changes, and nothing on the disk is replaced.',
  run: (invocation) =>
    operate(invocation, async ({ context, config, signal }) => {
      const { restoreTo } = await import('../../bot/state/restore/restoreTo.ts');
      const { stdout, stderr, flags, positionals, cwd } = invocation;
      const dir = resolve(cwd, typeof flags.to === 'string' ? flags.to : `${context.bot}-state`);
      const progress = transferProgress(stderr, () => performance.now());
      try {
        const { maxBytes, maxFileBytes } = config.sync;
        const restored = await restoreTo(context, {
          dir,
          sequence: sequenceOf(flags.at),
          path: positionals[1],
          owner: undefined,
          maxBytes,
          maxFileBytes,
          signal,
          onProgress: progress.update,
        });
        progress.end();
        if (flags.json) writeJson(stdout, { ...restored, dir });
        else stdout.write(`snapshot ${restored.sequence}: ${restored.entries} entries in ${dir}\n`);
        return 0;
      } finally {
        progress.end();
      }
    }),
};
