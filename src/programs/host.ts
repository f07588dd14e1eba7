import { runProgram } from '../base/command/runProgram.ts';
import { hostCommands } from '../host/commands/commands.ts';

/** Many bots on one machine, and what asks it. What has to be explained is left to the operator's program. */
export const run = (process: NodeJS.Process): Promise<number | undefined> =>
  runProgram(process, { name: '', summary: '', commands: { ...hostCommands, doctor } }, undefined);

/** For `runtime doctor --host`: the operator's command of that name has the summary. */
const doctor = { summary: '', load: async () => (await import('../host/commands/doctor.ts')).doctor };
