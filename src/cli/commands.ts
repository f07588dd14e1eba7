import type { CommandGroup } from './command.ts';

/** Every command of the binary. The summaries stand here so that `--help` and completion load nothing. */
export const commands: CommandGroup = {
  name: '',
  summary: 'The entrypoint of every bot container: pulls code and state, runs the bot, saves everything.',
  commands: {
    execute: {
      summary:
        "container entrypoint: pull code and state, run the bot, save everything, exit with the bot's code",
      load: async () => (await import('./execute.ts')).execute,
    },
    daemon: {
      summary: 'pull and save without a supervisor: init containers and sidecars',
      load: async () => (await import('./daemon/group.ts')).daemon,
    },
    state: {
      summary: "the history of a bot's state: list, compare, restore, verify, export, prune",
      load: async () => (await import('./state/group.ts')).state,
    },
    logs: {
      summary: "a bot's shipped logs",
      load: async () => (await import('./logs.ts')).logs,
    },
    query: {
      summary: 'ask a bot',
      load: async () => (await import('./query.ts')).query,
    },
    init: {
      summary: 'a small bot with a query that runs at once',
      load: async () => (await import('./init.ts')).init,
    },
    kinds: {
      summary: 'the catalog of runtime kinds',
      load: async () => (await import('./kinds.ts')).kinds,
    },
    completion: {
      summary: 'shell completion',
      load: async () => (await import('./completion.ts')).completion,
    },
    doctor: {
      summary: 'check everything that a start needs',
      load: async () => (await import('./doctor.ts')).doctor,
    },
    'end-groups': {
      summary: 'end process groups with all their descendants',
      hidden: true,
      load: async () => (await import('./endGroups.ts')).endGroups,
    },
    version: {
      summary: 'version, Node version, commit',
      load: async () => (await import('./version.ts')).version,
    },
  },
};
