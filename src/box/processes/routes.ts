import { constants } from 'node:os';
import type { Box } from '../box.ts';
import { readCommand, readText } from '../commands/readCommand.ts';
import { type ShellWords, shellWords } from '../commands/shellWords.ts';
import { answerData } from '../http/answer.ts';
import { invalid } from '../http/boxError.ts';
import type { Route } from '../http/exchange.ts';
import { type JsonObject, readJson } from '../http/readJson.ts';
import { cursorOf, sendEvents } from '../http/sendStream.ts';
import { readLog } from '../output/readLog.ts';
import type { Processes } from './processes.ts';

/** A signal needs no more. */
const SMALL_BYTES = 64 * 1024;
/** Of a command, where it is shown. */
const MOST_SHOWN = 4096;
const MOST_ARGUMENTS = 4096;

export function processRoutes({ config, clock, limits }: Box, processes: Processes): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/process/spawn',
      handle: async ({ request, response }) => {
        const body = await readJson(request, limits.bodyBytes, limits.bodies);
        const { command, words } = readWords(body, config.shell);
        const asked = readCommand(body, config);
        const stdin = body.stdin === undefined || body.stdin === null ? undefined : readText(body, 'stdin');
        answerData(response, await processes.spawn({ ...asked, command, words, stdin }));
      },
    },
    { method: 'GET', path: '/process', handle: ({ response }) => answerData(response, processes.list()) },
    {
      method: 'GET',
      path: '/process/:pid',
      handle: ({ response, params }) => answerData(response, processes.get(Number(params.pid))),
    },
    {
      method: 'DELETE',
      path: '/process/:pid',
      handle: async ({ request, response, params }) => {
        const body = await readJson(request, SMALL_BYTES);
        answerData(response, processes.signal(Number(params.pid), readSignal(body)));
      },
    },
    {
      method: 'GET',
      path: '/process/:pid/logs',
      handle: async ({ request, response, params, query, gone }) => {
        const log = processes.log(Number(params.pid));
        const after = cursorOf(request.headers['last-event-id'], query);
        await sendEvents(response, readLog(log, { after, clock, signal: gone }), gone);
      },
    },
  ];
}

/** A line for the shell, or an executable and its arguments. */
function readWords(body: JsonObject, shell: string): { command: string; words: () => ShellWords } {
  if (body.executable === undefined) {
    const command = readText(body, 'command');
    return { command: command.slice(0, MOST_SHOWN), words: () => shellWords(shell, command) };
  }
  const file = readText(body, 'executable');
  if (file === '') throw invalid('executable', 'is empty');
  const { args = [] } = body;
  const isList = Array.isArray(args) && args.length <= MOST_ARGUMENTS;
  if (!isList || args.some((arg) => typeof arg !== 'string' || arg.includes('\0'))) {
    throw invalid('args', `is not a list of at most ${MOST_ARGUMENTS} strings`);
  }
  const argv = [file, ...(args as string[])];
  return { command: argv.join(' ').slice(0, MOST_SHOWN), words: () => ({ argv }) };
}

/** By its name or its number; SIGTERM where none is named. */
function readSignal({ signal = 'SIGTERM' }: JsonObject): NodeJS.Signals {
  const entry = Object.entries(constants.signals).find(
    ([name, number]) => signal === name || signal === number,
  );
  if (!entry) throw invalid('signal', 'is no signal');
  return entry[0] as NodeJS.Signals;
}
