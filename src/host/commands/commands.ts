import type { CommandGroup } from '../../base/command/command.ts';

/** Many bots on one machine. The summaries stand here so that `--help` and completion load nothing. */
export const hostCommands: CommandGroup['commands'] = {
  host: {
    summary: 'run many bots: makes what runs equal to what is wanted',
    load: async () => (await import('./host.ts')).host,
  },
  bots: {
    summary: 'the bots of the host on this machine: list, explain, run, restart, drain',
    load: async () => (await import('./bots/group.ts')).bots,
  },
};
