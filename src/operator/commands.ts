import type { CommandGroup } from '../base/command/command.ts';

/**
 * The room of what people type: `runtime state`, `logs`, `query`, `ask`, `init`, `kinds`, `doctor`, `completion`, `version`. A command is a
 * file that says its flags, makes one call into `bot` or `agent`, and prints. Its helpers stand in a folder of its name. None of
 * this is in the program that runs in containers; what is wrong with any command line is explained here too (`explain`).
 */

/** What people type. The summaries stand here so that `--help` and completion load nothing. */
export const operatorCommands: CommandGroup['commands'] = {
  state: {
    summary: "the history of a bot's state: list, compare, restore, verify, export, recover, prune",
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
  ask: {
    summary: 'talk to an agent',
    load: async () => (await import('./ask.ts')).ask,
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
  version: {
    summary: 'version, Node version, commit',
    load: async () => (await import('./version.ts')).version,
  },
};
