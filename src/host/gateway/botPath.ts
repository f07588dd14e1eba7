import { parseTarget } from '../../bot/answers/parameters.ts';

export interface BotPath {
  readonly bot: string;
  /** Path and query string as the client wrote them, for the bot's own server. */
  readonly target: string;
}

/** `/bots/<id>/<path>`; undefined for everything else. */
export function parseBotPath(url: string): BotPath | undefined {
  const target = parseTarget(url);
  const [, bot, path] = /^\/bots\/([^/]+)(\/.*)?$/.exec(target?.path ?? '') ?? [];
  if (target === undefined || bot === undefined) return undefined;
  const name = decoded(bot);
  if (name === undefined || !/^[A-Za-z0-9._-]{1,128}$/.test(name)) return undefined;
  return { bot: name, target: `${path ?? '/'}${target.queryString === '' ? '' : `?${target.queryString}`}` };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
