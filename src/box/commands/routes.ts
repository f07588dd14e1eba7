import type { Box } from '../box.ts';
import { answerJson } from '../http/answer.ts';
import type { Route } from '../http/exchange.ts';
import { readJson } from '../http/readJson.ts';
import { codeRoute } from './codeRoute.ts';
import { execute, exitHeader } from './execute.ts';
import { createPlaces } from './places.ts';
import { readCommand, readText } from './readCommand.ts';
import { shellWords } from './shellWords.ts';

/** So many commands of clients run at a time. */
const MOST_COMMANDS = 64;

/** Commands whose end is waited for. */
export function commandRoutes(box: Box): readonly Route[] {
  const { config, starter, clock, limits } = box;
  const place = createPlaces(MOST_COMMANDS, 'commands');
  return [
    codeRoute(box, place),
    {
      method: 'POST',
      path: '/terminals/commands',
      handle: ({ request, response }) =>
        place(async () => {
          const body = await readJson(request, limits.bodyBytes, limits.bodies);
          const command = readText(body, 'command');
          const asked = readCommand(body, config);
          const words = shellWords(config.shell, command);
          const result = await execute({ ...asked, words, starter, clock, keptBytes: limits.keptBytes });
          answerJson(response, 200, { success: true, result }, exitHeader(result));
        }),
    },
  ];
}
