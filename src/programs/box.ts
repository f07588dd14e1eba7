import { runProgram } from '../base/command/runProgram.ts';
import { boxCommands } from '../box/commands.ts';

/** One sandbox, from inside. What has to be explained is left to the operator's program. */
export const run = (process: NodeJS.Process): Promise<number | undefined> =>
  runProgram(process, { name: '', summary: '', commands: boxCommands }, undefined);
