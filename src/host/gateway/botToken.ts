import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';

/** Tells tokens for one bot from everything else that the key may sign one day. */
const PURPOSE = 'runtime bot token v1:';

/** A token for the queries of one bot: nothing has to be kept to check it. A new key revokes all of them. */
export function makeBotToken(key: Secret, bot: string): string {
  return `rbt_${sign(key, bot).toString('base64url')}`;
}

export function checkBotToken(key: Secret, bot: string, token: string): boolean {
  const expected = Buffer.from(makeBotToken(key, bot));
  const given = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function sign(key: Secret, bot: string): Buffer {
  return createHmac('sha256', key.reveal()).update(`${PURPOSE}${bot}`).digest();
}
