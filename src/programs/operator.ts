import { runProgram } from '../base/command/runProgram.ts';
import { explain } from '../operator/explain.ts';
import { commands } from './commands.ts';

/** What people type, and whatever has to be explained to them. */
export const run = async (process: NodeJS.Process): Promise<number> =>
  (await runProgram(process, commands, explain)) ?? 70;
