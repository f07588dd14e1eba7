import { expect, test } from 'vitest';
import { parseBotPath } from '../../../../src/host/gateway/botPath.ts';

test.each([
  ['/bots/a/status?x=1', { bot: 'a', target: '/status?x=1' }],
  ['/bots/a.b_c-D/%2e%2e/x//y', { bot: 'a.b_c-D', target: '/%2e%2e/x//y' }],
  ['/bots/a', { bot: 'a', target: '/' }],
  ['/bots/a/', { bot: 'a', target: '/' }],
  ['http://gateway:9477/bots/a/_runtime/info', { bot: 'a', target: '/_runtime/info' }],
  ['/bots/%61/x', { bot: 'a', target: '/x' }],
])('%s', (url, expected) => {
  expect(parseBotPath(url)).toEqual(expected);
});

test.each([
  '/',
  '/bots',
  '/bots/',
  '/bots/a b/x',
  '/bots/a%2Fb/x',
  '/bots/%zz/x',
  '/bot/a/x',
  '*',
  `/bots/${'a'.repeat(129)}/x`,
])('%s names no bot', (url) => {
  expect(parseBotPath(url)).toBeUndefined();
});
