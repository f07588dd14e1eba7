import type { Secret } from '../../base/secret.ts';
import { tokenCheck } from '../../bot/answers/tokenCheck.ts';
import { checkBotToken } from './botToken.ts';

/** Whether an `Authorization` header may ask this bot. */
export type Authorise = (header: string | undefined, bot: string) => boolean;

/**
 * `token` opens all bots, a bot's own token that bot. Without `token` everybody may ask, as with a bot's own port: whoever
 * starts a gateway so is warned.
 */
export function authoriser(token: Secret | undefined, tokenKey: Secret): Authorise {
  if (token === undefined) return () => true;
  const opensAll = tokenCheck(token);
  return (header, bot) => {
    if (opensAll(header)) return true;
    const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return given !== undefined && checkBotToken(tokenKey, bot, given);
  };
}
