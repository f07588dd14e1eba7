import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Invocation } from '../../../base/command/command.ts';
import { overlay } from '../../../base/command/overlay.ts';
import { RuntimeError } from '../../../base/errors.ts';
import { knownToBeJson, readBotConfigFile } from '../../../bot/config/readBotConfigFile.ts';
import { configError } from '../../../bot/config/readConfig.ts';
import { readSmallFile } from '../../../bot/config/readSmallFile.ts';
import { checkHasBot } from './checkHasBot.ts';
import { unreadLines } from './unreadLines.ts';

export interface Source {
  readonly invocation: Invocation;
  /** What in its files does not count. */
  readonly warnings: readonly string[];
}

/**
 * The invocation with what people name on its command line read: the files of `--env-file`, which variables of the environment
 * beat and of which a later one beats an earlier one; `--config`; the K=V of a query. Throws `usage` (64) for words that go with
 * nothing, `config` (78) for a file that cannot be read or is not JSON.
 */
export function readSources(
  invocation: Invocation,
  pairs: readonly string[],
  dir: string | undefined,
): Source {
  const { flags, cwd } = invocation;
  const problems: string[] = [];
  const own: Record<string, string> = {};
  if (pairs.length > 0) own['query-params'] = paramsOf(pairs, invocation);
  if (typeof flags.config === 'string') {
    if (flags['bot-config'] !== undefined) throw usage('--config and --bot-config say the same thing');
    const config = configOf(flags.config, cwd, problems);
    if (config !== undefined) own['bot-config'] = config;
  }
  // Node has read them, too: it looks for this flag in every command line, and ends with 9 where there is no such file.
  const files = [flags['env-file'] ?? []].flat() as string[];
  const warnings: string[] = [];
  const named = files.map((file) => {
    const text = readSmallFile(resolve(cwd, file), problems) ?? '';
    // Their content reaches no message: it may be a secret.
    warnings.push(
      ...unreadLines(text).map((line) => `${file}:${line}: expected NAME=value; the line sets nothing`),
    );
    return parseEnv(text);
  });
  if (problems.length > 0) throw configError(problems);
  const read = overlay(invocation, {
    flags: { ...flags, ...own },
    env: Object.assign({}, ...named, invocation.env) as Invocation['env'],
  });
  if (dir !== undefined) checkHasBot(read, dir);
  return { invocation: read, warnings };
}

/** JSON where it looks like an object, else a file: `--config '{"symbol":"BTC"}'`, `--config config.test.json`. */
function configOf(given: string, cwd: string, problems: string[]): string | undefined {
  if (given.trimStart().startsWith('{')) return knownToBeJson(given, '--config', problems);
  const before = problems.length;
  const text = readBotConfigFile(resolve(cwd, given), problems);
  if (text === undefined && problems.length === before) problems.push(`--config ${given}: no such file`);
  return text;
}

function paramsOf(pairs: readonly string[], { flags }: Invocation): string {
  if (flags.query === undefined) {
    throw new RuntimeError('usage', `${pairs.join(' ')}: one DIR is expected, and K=V goes with --query`, {
      hint: 'runtime execute DIR --query PATH K=V',
    });
  }
  if (flags['query-params'] !== undefined) throw usage('K=V and --query-params say the same thing');
  const params = pairs.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw usage(`${pair} is not K=V`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return JSON.stringify(Object.fromEntries(params));
}

const usage = (message: string) => new RuntimeError('usage', message);
