import { expect, test } from 'vitest';
import { Secret } from '../../../../src/base/secret.ts';
import { authoriser } from '../../../../src/host/gateway/authorise.ts';
import { checkBotToken, makeBotToken } from '../../../../src/host/gateway/botToken.ts';

const key = new Secret('k');

test('a token opens its own bot, with its own key, and no other', () => {
  const token = makeBotToken(key, 'a');
  expect(checkBotToken(key, 'a', token)).toBe(true);
  expect(checkBotToken(key, 'b', token)).toBe(false);
  expect(checkBotToken(new Secret('l'), 'a', token)).toBe(false);
  expect(checkBotToken(key, 'a', `${token}x`)).toBe(false);
  expect(checkBotToken(key, 'a', '')).toBe(false);
});

test("the token of the gateway opens all bots, a bot's own that one; none opens nothing", () => {
  const may = authoriser(new Secret('all'), key);
  expect(may('Bearer all', 'a')).toBe(true);
  expect(may(`Bearer ${makeBotToken(key, 'a')}`, 'a')).toBe(true);
  expect(may(`Bearer ${makeBotToken(key, 'a')}`, 'b')).toBe(false);
  expect(may('Bearer al', 'a')).toBe(false);
  expect(may(undefined, 'a')).toBe(false);
  expect(authoriser(undefined, key)(undefined, 'a')).toBe(true);
});
