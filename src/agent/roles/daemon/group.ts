import type { CommandGroup } from '../../../base/command/command.ts';

export const daemon: CommandGroup = {
  name: 'daemon',
  summary: 'pull and save without a supervisor: init containers and sidecars',
  commands: {
    init: {
      summary: 'pull code and state once, then exit: an init container',
      load: async () => (await import('./init.ts')).init,
    },
    sync: {
      summary: 'the sync daemon on its own: a sidecar',
      load: async () => (await import('./sync.ts')).sync,
    },
  },
};
