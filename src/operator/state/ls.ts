import type { Command } from '../../base/command/command.ts';
import { size, writeJson, writeTable } from '../../base/command/output.ts';
import { operate, stateOptions } from './operate.ts';

export const ls: Command = {
  name: 'ls',
  summary: 'the snapshots that are kept, oldest first',
  positionals: 'BOT',
  options: stateOptions({}),
  run: (invocation) =>
    operate(invocation, async ({ context, signal }) => {
      const { listSnapshots } = await import('../../bot/state/read/snapshots.ts');
      const snapshots = (await listSnapshots(context, signal)).map(({ manifest, entries, ...facts }) => ({
        ...facts,
        inline: manifest === undefined,
      }));
      const { stdout, flags } = invocation;
      if (flags.json) writeJson(stdout, snapshots);
      else {
        const header = ['SEQUENCE', 'TIME', 'GENERATION', 'FILES', 'SIZE', 'CONSISTENT'];
        const rows = snapshots.map((snapshot) => [
          String(snapshot.sequence),
          snapshot.createdAt,
          String(snapshot.generation),
          String(snapshot.files),
          size(snapshot.bytes),
          snapshot.consistent ? 'yes' : 'no',
        ]);
        writeTable(stdout, header, rows);
      }
      return 0;
    }),
};
