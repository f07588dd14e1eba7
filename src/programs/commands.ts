import { agentCommands } from '../agent/roles/commands.ts';
import type { CommandGroup } from '../base/command/command.ts';
import { hostCommands } from '../host/commands/commands.ts';
import { operatorCommands } from '../operator/commands.ts';
import { protocolCommands } from '../protocol/commands.ts';

const { 'end-groups': endGroups, ...roles } = agentCommands;

/** Every command of the binary, in the order of `--help`. */
export const commands: CommandGroup = {
  name: '',
  summary: 'The entrypoint of every bot container: pulls code and state, runs the bot, saves everything.',
  commands: { ...roles, ...hostCommands, ...operatorCommands, ...protocolCommands, 'end-groups': endGroups! },
};
