import { agentCommands } from '../agent/roles/commands.ts';
import { runProgram } from '../base/command/runProgram.ts';

/** What runs in every container: a thousand of these share a host, so nothing that only people type is in its bundle. */
export const run = (process: NodeJS.Process): Promise<number | undefined> =>
  runProgram(process, { name: '', summary: '', commands: agentCommands }, undefined);
