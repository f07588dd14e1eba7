import type { Box } from '../box.ts';
import { answerJson } from '../http/answer.ts';
import { invalid } from '../http/boxError.ts';
import type { Route } from '../http/exchange.ts';
import { readJson } from '../http/readJson.ts';
import { execute, exitHeader } from './execute.ts';
import type { Place } from './places.ts';
import { readCommand, readText } from './readCommand.ts';
import { fileWords } from './shellWords.ts';

/** What runs a language's code. */
const interpreters: Readonly<Record<string, string>> = {
  python: 'python3',
  javascript: 'node',
  bash: '/bin/bash',
  sh: '/bin/sh',
};

/** Code of a language, run as a file of its own and waited for. */
export function codeRoute({ config, starter, clock, limits }: Box, place: Place): Route {
  return {
    method: 'POST',
    path: '/process/run-code',
    handle: ({ request, response }) =>
      place(async () => {
        const body = await readJson(request, limits.bodyBytes, limits.bodies);
        const code = readText(body, 'code');
        const language = body.language ?? 'python';
        const interpreter =
          typeof language === 'string' && Object.hasOwn(interpreters, language) && interpreters[language];
        if (!interpreter) throw invalid('language', `is none of ${Object.keys(interpreters).join(', ')}`);
        const asked = readCommand(body, config);
        const words = fileWords([interpreter], code);
        const result = await execute({ ...asked, words, starter, clock, keptBytes: limits.keptBytes });
        const data = { success: result.exitCode === 0, ...result };
        answerJson(response, 200, { success: true, data }, exitHeader(result));
      }),
  };
}
