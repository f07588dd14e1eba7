import type { Command } from '../../base/command/command.ts';
import { shown, writeJson, writeTable } from '../../base/command/output.ts';
import { operate, sequenceOf, stateOptions } from './operate.ts';

export const show: Command = {
  name: 'show',
  summary: 'what a snapshot holds',
  positionals: 'BOT',
  options: stateOptions({
    at: { type: 'string', value: 'SEQUENCE', description: 'which snapshot; by default the newest' },
  }),
  details: 'Names that are not UTF-8 are shown with the bytes escaped as U+DC80 to U+DCFF.',
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { showSnapshot } = await import('../../bot/state/history/showSnapshot.ts');
      const { stdout, flags } = invocation;
      const snapshot = await showSnapshot(context, sequenceOf(flags.at), signal);
      if (flags.json) writeJson(stdout, snapshot);
      else {
        const rows = snapshot.entries.map(({ type, mode, size, modifiedAt, path, target }) => [
          type,
          mode,
          String(size),
          modifiedAt,
          shown(path) + (target === undefined ? '' : ` -> ${shown(target)}`),
        ]);
        writeTable(stdout, ['TYPE', 'MODE', 'BYTES', 'MODIFIED', 'PATH'], rows);
      }
      return 0;
    }),
};
