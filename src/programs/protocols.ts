import { runProgram } from '../base/command/runProgram.ts';
import { protocolCommands } from '../protocol/commands.ts';

/** What speaks to other platforms. What has to be explained to people it leaves to the operator's program. */
export const run = (process: NodeJS.Process): Promise<number | undefined> =>
  runProgram(process, { name: '', summary: '', commands: protocolCommands }, undefined);
