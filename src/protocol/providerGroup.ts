import type { CommandGroup } from '../base/command/command.ts';

export const provider: CommandGroup = {
  name: 'provider',
  summary: 'a runtime provider for another platform, started by it',
  commands: {
    gestalt: {
      summary: 'runs the plugins of a gestaltd in containers of the Docker Engine',
      load: async () => (await import('./gestalt/command.ts')).gestalt,
    },
  },
};
