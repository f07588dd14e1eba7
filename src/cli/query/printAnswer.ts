import { inspect } from 'node:util';
import { parseAnswer } from '../../query/answer.ts';
import type { Output } from '../command.ts';

/** For people the data, or the error in words; for programs one line of JSON, as it came. Gives the exit code. */
export function printAnswer(bytes: Buffer, stdout: Output, isPretty: boolean): number {
  const answer = parseAnswer(bytes);
  const exitCode = answer?.status === 'ok' ? 0 : 1;
  if (!isPretty)
    stdout.write(
      `${bytes
        .toString()
        .trim()
        .replace(/[\r\n]+/g, ' ')}\n`,
    );
  else if (answer === undefined) stdout.write(`${bytes.toString().trim()}\n`);
  else if (answer.status === 'error') stdout.write(`error: ${answer.error}\n`);
  else stdout.write(`${inspect(answer.data, { depth: null, colors: true, maxArrayLength: null })}\n`);
  return exitCode;
}
