import type { CommandGroup } from '../../base/command/command.ts';

export const state: CommandGroup = {
  name: 'state',
  summary: "the history of a bot's state",
  commands: {
    ls: { summary: 'the snapshots that are kept', load: async () => (await import('./ls.ts')).ls },
    show: { summary: 'what a snapshot holds', load: async () => (await import('./show.ts')).show },
    diff: {
      summary: 'what differs between two snapshots',
      load: async () => (await import('./diff.ts')).diff,
    },
    restore: {
      summary: 'put a snapshot, or a part of it, into a directory',
      load: async () => (await import('./restore.ts')).restore,
    },
    verify: {
      summary: 'read every object of the history and check it',
      load: async () => (await import('./verify.ts')).verify,
    },
    export: {
      summary: 'a snapshot as a tar archive',
      load: async () => (await import('./export.ts')).exportState,
    },
    recover: {
      summary: 'write the head again when it is gone or damaged',
      load: async () => (await import('./recover.ts')).recover,
    },
    prune: {
      summary: 'delete what no kept snapshot needs',
      load: async () => (await import('./prune.ts')).prune,
    },
  },
};
