import type { CommandGroup } from '../base/command/command.ts';

/** Other platforms' protocols. The summaries stand here so that `--help` and completion load nothing. */
export const protocolCommands: CommandGroup['commands'] = {
  serve: {
    summary: 'serve sandboxes and sessions to clients over HTTP',
    load: async () => (await import('./tangle/command.ts')).serve,
  },
  provider: {
    summary: 'a runtime provider for another platform, started by it',
    load: async () => (await import('./providerGroup.ts')).provider,
  },
};
