import { inspect } from 'node:util';
import type { Output } from '../../base/command/command.ts';
import { parseAnswer } from '../../bot/answers/answer.ts';

/** For people the data, or the error in words; for programs one line of JSON. What is not an answer object is left as it is. */
export function printAnswer(bytes: Buffer, stdout: Output, isPretty: boolean): void {
  const answer = parseAnswer(bytes);
  const text = bytes.toString().trim();
  if (answer === undefined) stdout.write(`${text}\n`);
  else if (!isPretty) stdout.write(`${text.replace(/[\r\n]+/g, ' ')}\n`);
  else if (answer.status === 'error') stdout.write(`error: ${answer.error}\n`);
  else stdout.write(`${inspect(answer.data, { depth: null, colors: true, maxArrayLength: null })}\n`);
}
