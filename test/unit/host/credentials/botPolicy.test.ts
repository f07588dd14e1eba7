import { expect, test } from 'vitest';
import { botPolicy } from '../../../../src/host/credentials/botPolicy.ts';

const buckets = { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' };
const longest = 'a'.repeat(128);

test('the longest id that a bot may have fits in, with code from a folder', () => {
  const code = [`${longest}/${'0'.repeat(64)}.tar`];
  for (const scope of ['bot', 'query'] as const) {
    const policy = botPolicy({ bot: longest, code }, buckets, scope);
    expect(Buffer.byteLength(policy)).toBeLessThanOrEqual(2048);
    expect(policy).toContain(`custom-bots/${code[0]}`);
  }
  expect(() => botPolicy({ bot: longest, code: Array(9).fill(code[0]) }, buckets, 'bot')).toThrow(/2048/);
});
