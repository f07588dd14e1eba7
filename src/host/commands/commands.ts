import type { CommandGroup } from '../../base/command/command.ts';

/**
 * The room of the host's commands: `runtime host`, `runtime bots …`, and the0's commands of the same names as before. A command reads
 * its flags, and starts a host or makes one call over the operator's socket (`host/control`).
 */

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
  'bot-runner': {
    summary: "the0's command: runs the realtime bots of its database",
    load: async () => (await import('./the0/services.ts')).botRunner,
  },
  'bot-scheduler': {
    summary: "the0's command: runs the scheduled bots of its database",
    load: async () => (await import('./the0/services.ts')).botScheduler,
  },
  'query-server': {
    summary: "the0's command: answers queries for the bots of its database",
    load: async () => (await import('./the0/services.ts')).queryServer,
  },
  controller: {
    summary: "the0's command: runs the bots of its database on a Kubernetes cluster",
    load: async () => (await import('./the0/controller.ts')).controller,
  },
  gc: {
    summary: "the0's command: removes what bots have left in the store that its database no longer has",
    load: async () => (await import('./the0/gc.ts')).gc,
  },
};
