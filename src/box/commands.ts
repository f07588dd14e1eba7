import type { CommandGroup } from '../base/command/command.ts';

/** The summary stands here so that `--help` loads nothing. */
export const boxCommands: CommandGroup['commands'] = {
  box: {
    summary: 'the API of one sandbox, from inside',
    hidden: true,
    load: async () => (await import('./command.ts')).box,
  },
};
