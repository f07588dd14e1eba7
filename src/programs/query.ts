import { queryServer } from '../agent/roles/queryServer.ts';
import { runProgram } from '../base/command/runProgram.ts';

/** The query server of a bot, of which each bot that answers queries has one. */
export const run = (process: NodeJS.Process): Promise<number | undefined> =>
  runProgram(
    process,
    {
      name: '',
      summary: '',
      commands: { execute: { summary: queryServer.summary, load: async () => queryServer } },
    },
    undefined,
  );
