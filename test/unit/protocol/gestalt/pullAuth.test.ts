import { expect, test } from 'vitest';
import { pullAuth } from '../../../../src/protocol/gestalt/pullAuth.ts';

test('the header is what the engine decodes: URL-safe base64, padded', () => {
  for (const password of ['w', 'wo', 'wor', 'word', '>>>???~~~ÿÿÿ']) {
    const auths = { 'registry.example.com': { username: 'reader', password } };
    const header = pullAuth('registry.example.com/a:1', JSON.stringify({ auths }))!;
    expect(header).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
    expect(header.length % 4).toBe(0);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      username: 'reader',
      password,
      serveraddress: 'registry.example.com',
    });
  }
});
