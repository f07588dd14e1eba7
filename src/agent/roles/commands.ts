import type { CommandGroup } from '../../base/command/command.ts';

/**
 * The room where the parts of a role are put together: each file reads a command line and its configuration, opens the stores, and
 * hands on to supervisor, daemon or query server what they need, functions rather than modules where these stand beside each other.
 *
 *   execute        a bot's life: `runBot`, `watchBot` (again and again), `ephemeralQuery`, or the query server alone
 *   daemon/        `init` pulls, `sync` saves
 *   endGroups      what a guard becomes
 */

/** What runs in a bot's container. The summaries stand here so that `--help` and completion load nothing. */
export const agentCommands: CommandGroup['commands'] = {
  execute: {
    summary:
      "container entrypoint: pull code and state, run the bot, save everything, exit with the bot's code",
    load: async () => (await import('./execute.ts')).execute,
  },
  daemon: {
    summary: 'pull and save without a supervisor: init containers and sidecars',
    load: async () => (await import('./daemon/group.ts')).daemon,
  },
  'end-groups': {
    summary: 'end process groups with all their descendants',
    hidden: true,
    load: async () => (await import('./endGroups.ts')).endGroups,
  },
};
