import type { Box } from '../box.ts';
import { readCommand, readText } from '../commands/readCommand.ts';
import { answerData } from '../http/answer.ts';
import { invalid } from '../http/boxError.ts';
import type { Route } from '../http/exchange.ts';
import { readJson } from '../http/readJson.ts';
import { cursorOf, sendEvents } from '../http/sendStream.ts';
import { readLog } from '../output/readLog.ts';
import { MOST_INPUT_BYTES } from './mostInput.ts';
import { readSide } from './readSide.ts';
import type { Terminals } from './terminals.ts';
import { webSocketRoute } from './webSocketRoute.ts';

export function terminalRoutes(box: Box, terminals: Terminals): readonly Route[] {
  const { config, clock } = box;
  return [
    {
      method: 'POST',
      path: '/terminals',
      handle: async ({ request, response }) => {
        const body = await readJson(request, MOST_INPUT_BYTES);
        const { cwd, env } = readCommand(body, config);
        const name =
          body.name === undefined || body.name === null ? undefined : readText(body, 'name').slice(0, 256);
        const size = { cols: readSide(body, 'cols', 80), rows: readSide(body, 'rows', 24) };
        answerData(response, await terminals.open({ name, cwd, env, ...size }));
      },
    },
    { method: 'GET', path: '/terminals', handle: ({ response }) => answerData(response, terminals.list()) },
    {
      method: 'GET',
      path: '/terminals/:id',
      handle: ({ response, params }) => answerData(response, terminals.get(params.id!)),
    },
    {
      method: 'PATCH',
      path: '/terminals/:id',
      handle: async ({ request, response, params }) => {
        const body = await readJson(request, MOST_INPUT_BYTES);
        const { cols, rows } = terminals.get(params.id!);
        const size = { cols: readSide(body, 'cols', cols), rows: readSide(body, 'rows', rows) };
        answerData(response, await terminals.resize(params.id!, size));
      },
    },
    {
      method: 'DELETE',
      path: '/terminals/:id',
      handle: async ({ response, params }) => {
        await terminals.close(params.id!);
        answerData(response, { sessionId: params.id });
      },
    },
    {
      method: 'POST',
      path: '/terminals/:id/input',
      handle: async ({ request, response, params }) => {
        const { data } = await readJson(request, MOST_INPUT_BYTES);
        if (typeof data !== 'string') throw invalid('data', 'is not a string');
        terminals.write(params.id!, data);
        answerData(response, { sessionId: params.id });
      },
    },
    {
      method: 'GET',
      path: '/terminals/:id/stream',
      handle: async ({ request, response, params, query, gone }) => {
        const log = terminals.log(params.id!);
        const after = cursorOf(request.headers['last-event-id'], query);
        await sendEvents(response, readLog(log, { after, clock, signal: gone }), gone);
      },
    },
    webSocketRoute(box, terminals),
  ];
}
