import type { CommandGroup } from '../../../base/command/command.ts';

export const keys: CommandGroup = {
  name: 'keys',
  summary: 'who may ask the server of sandboxes, and what',
  commands: {
    add: { summary: 'make a key; it is printed once', load: async () => (await import('./add.ts')).add },
    ls: { summary: 'all keys, by name', load: async () => (await import('./ls.ts')).ls },
    rm: { summary: 'take a key back', load: async () => (await import('./rm.ts')).rm },
  },
};
