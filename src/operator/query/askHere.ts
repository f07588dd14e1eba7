import { statSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ephemeralQuery } from '../../agent/roles/ephemeralQuery.ts';
import { warnBotAnswers } from '../../agent/roles/inPlace/warnBotAnswers.ts';
import { loadBot } from '../../agent/roles/loadBot.ts';
import type { Invocation } from '../../base/command/command.ts';
import { overlay } from '../../base/command/overlay.ts';
import { isRuntimeError, RuntimeError } from '../../base/errors.ts';
import { hasRunIn, localDirectory } from '../localDirectory.ts';
import type { Asked, Question } from './asked.ts';

/**
 * Answers from the bot's saved state with a program run here: code and state are pulled into a directory that is removed
 * afterwards, unless the environment says where they are.
 */
export async function askHere(name: string, question: Question, invocation: Invocation): Promise<Asked> {
  const { path, params } = withSearch(question);
  const directory = localDirectory(name, invocation);
  const dir = await mkdtemp(join(tmpdir(), 'runtime-query-'));
  try {
    // The program may run as another user.
    await chmod(dir, 0o755);
    const { env } = invocation;
    const timeout = invocation.flags.timeout;
    const query = {
      CODE_PATH: join(dir, 'bot'),
      STATE_PATH: join(dir, 'state'),
      LOGS_PATH: join(dir, 'the0', 'logs'),
      ...defined(env),
      ...(directory === undefined ? { BOT_ID: name } : {}),
      QUERY_PATH: path,
      QUERY_PARAMS: JSON.stringify(params),
      ...(typeof timeout === 'string' ? { QUERY_TIMEOUT: timeout } : {}),
    };
    const options = { role: 'execute', speaker: 'query', dir: directory } as const;
    const bot = await loadBot(overlay(invocation, { env: query, flags: {} }), options).catch((error) => {
      throw directory === undefined ? withWay(error, name, path, invocation) : error;
    });
    if (bot.config.agent !== undefined && bot.config.queryEntrypoint === undefined) {
      throw new RuntimeError('usage', `${name} is an agent: it answers messages, and no queries`, {
        hint: `runtime ask ${name} "TEXT"; for queries it needs a QUERY_ENTRYPOINT.`,
      });
    }
    warnBotAnswers(bot);
    const stdout = new PassThrough();
    const bytes = buffer(stdout);
    const exitCode = await ephemeralQuery(bot, overlay(invocation, { stdout }), dir);
    stdout.end();
    return { bytes: await bytes, exitCode };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** `/x?limit=10` is asked as it would be of a running bot; what is given as K=V wins. */
function withSearch({ path, params }: Question): Question {
  const at = path.indexOf('?');
  if (at < 0) return { path, params };
  return {
    path: path.slice(0, at),
    params: { ...Object.fromEntries(new URLSearchParams(path.slice(at))), ...params },
  };
}

/**
 * The error with what was probably meant. Whoever has a host on this machine means one of its bots, and the host has all that is missing
 * here.
 */
function withWay(error: unknown, name: string, path: string, { cwd }: Invocation): unknown {
  if (!isRuntimeError(error, 'config')) return error;
  const folder = resolve(cwd, name);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const throughHost = `A bot of a host is asked through it: runtime query http://127.0.0.1:9477/bots/${name} ${path}`;
  return new RuntimeError('config', error.message, {
    problems: error.problems,
    hint: hasRunIn(folder)
      ? `The bot in the folder is ./${name}. ${throughHost}`
      : isFolder
        ? `No bot has run in the folder ${name} yet: \`runtime execute ${name}\` runs the one that is in it.`
        : throughHost,
    cause: error,
  });
}

function defined(env: Invocation['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]));
}
