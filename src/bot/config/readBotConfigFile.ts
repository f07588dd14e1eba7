import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { readSmallFile } from './readSmallFile.ts';

/** The text of `config.json`, known to be JSON; undefined where there is none. Its content reaches no message. */
export function readBotConfigFile(path: string, problems: string[]): string | undefined {
  if (!existsSync(path)) return undefined;
  const text = readSmallFile(path, problems);
  return text === undefined ? undefined : knownToBeJson(text, basename(path), problems);
}

/** `text`; undefined where it is not JSON, which is a problem of `name`. */
export function knownToBeJson(text: string, name: string, problems: string[]): string | undefined {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    problems.push(`${name}${placeIn(text, error as Error)} is not JSON`);
    return undefined;
  }
}

/** `:3:7` from what V8 says: a position, or the text around the mistake. */
function placeIn(text: string, { message }: Error): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  if (line !== undefined) return `:${line}:${column}`;
  if (message.includes('end of JSON input')) return `:${text.split('\n').length}`;
  const [, around = ''] = /, (?:\.\.\.)?"(.*?)"(?:\.\.\.)? is not valid JSON$/s.exec(message) ?? [];
  const at = around === '' ? -1 : text.indexOf(around);
  const unexpected = /^Unexpected token '(.)'/s.exec(message)?.[1] ?? '';
  // V8 shows ten characters on either side of the mistake.
  const exact = at < 0 ? -1 : text.indexOf(unexpected, at + (message.includes(', ..."') ? 10 : 0));
  return exact < 0 ? '' : `:${text.slice(0, exact).split('\n').length}`;
}
