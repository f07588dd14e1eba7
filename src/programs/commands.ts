import { agentCommands } from '../agent/roles/commands.ts';
import type { Command, CommandGroup } from '../base/command/command.ts';
import { boxCommands } from '../box/commands.ts';
import { hostCommands } from '../host/commands/commands.ts';
import { operatorCommands } from '../operator/commands.ts';
import { protocolCommands } from '../protocol/commands.ts';

/*
 * The room of the programs: each file but this one is a bundle of the executable (`scripts/build.ts`) and has a `run`. `main.ts` says which of
 * them a command line means. This is the table of all commands, for the one that explains (`operator`).
 */

const { 'end-groups': endGroups, execute, ...roles } = agentCommands;

const explainedExecute: CommandGroup['commands'] = {
  execute: {
    ...execute!,
    load: async () => ({
      ...((await execute!.load()) as Command),
      details: (await import('../operator/executeHelp.ts')).executeHelp,
    }),
  },
};

/** Every command of the binary, in the order of `--help`. */
export const commands: CommandGroup = {
  name: '',
  summary: 'The entrypoint of every bot container: pulls code and state, runs the bot, saves everything.',
  commands: {
    ...explainedExecute,
    ...roles,
    ...hostCommands,
    ...operatorCommands,
    ...protocolCommands,
    ...boxCommands,
    'end-groups': endGroups!,
  },
};
