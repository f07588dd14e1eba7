import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RateLimit } from '../../../../src/protocol/tangle/access/rateLimit.ts';
import { makeSigningKey, sidecarTokens } from '../../../../src/protocol/tangle/access/sidecarToken.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { invoke } from '../../../support/process/invoke.ts';
import { frontTest } from '../../../support/serve/frontTest.ts';

async function withKeys() {
  const data = await temporaryDirectory();
  const keys = (...words: string[]) => invoke(['serve', 'keys', ...words, '--data', data]);
  const folder = join(data, 'serve');
  mkdirSync(folder, { mode: 0o700 });
  const front = await frontTest({ folder });
  const as = (key: string) => ({ authorization: `Bearer ${key.trim()}` });
  return { ...front, keys, folder, as };
}

test('a key is printed once, kept as a hash, known to the server at once, and void when it is taken back', async () => {
  const { keys, folder, ask, as } = await withKeys();
  const { stdout: ci } = await keys('add', 'ci', '--days', '1');
  const file = join(folder, 'keys.json');
  expect(readFileSync(file, 'utf8')).not.toContain(ci.trim());
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const made = await ask('POST', '/v1/sandboxes', {}, as(ci));
  expect(made.status).toBe(201);
  const token = as(made.body.connection.authToken);
  const path = `/sidecar/${made.body.id}/process`;
  // It runs, and the model has nothing inside.
  expect((await ask('GET', path, undefined, token)).status).toBe(503);
  expect((await keys('ls')).stdout).toMatch(/^ci +read,write,runtime,sessions,secrets .* until /);
  await expect(keys('add', 'ci')).rejects.toMatchObject({ code: 'refused', exitCode: 77 });
  await keys('rm', 'ci');
  expect((await ask('GET', '/v1/sandboxes', undefined, as(ci))).status).toBe(401);
  // Whoever shows one must not be told to show one.
  const { body } = await ask('GET', '/v1/sandboxes', undefined, as(ci));
  expect(body.message).toBe('this key is not known here, or not any more');
  expect((await ask('GET', path, undefined, token)).status).toBe(403);
  await expect(keys('rm', 'ci')).rejects.toMatchObject({ exitCode: 66 });
});

test.each([
  ['default', []],
  ['Big', []],
  ['ok', ['--scope', 'root']],
  ['ok', ['--days', '0']],
])('keys add %s %j is a wrong command line', async (name, more) => {
  await expect((await withKeys()).keys('add', name, ...more)).rejects.toMatchObject({ exitCode: 64 });
});

test('what is another key s does not exist, but for an admin', async () => {
  const { keys, ask, as } = await withKeys();
  const [a, b, admin] = [
    (await keys('add', 'a')).stdout,
    (await keys('add', 'b')).stdout,
    (await keys('add', 'root', '--scope', 'admin')).stdout,
  ];
  const { body } = await ask('POST', '/v1/sandboxes', {}, as(a));
  const path = `/v1/sandboxes/${body.id}`;
  expect((await ask('GET', path, undefined, as(b))).status).toBe(404);
  expect((await ask('DELETE', path, undefined, as(b))).status).toBe(404);
  expect((await ask('GET', `${path}/runtime/process`, undefined, as(b))).status).toBe(404);
  expect((await ask('GET', '/v1/sandboxes', undefined, as(b))).body.sandboxes).toEqual([]);
  expect((await ask('GET', path, undefined, as(admin))).status).toBe(200);
  await ask('POST', '/v1/secrets', { name: 'S', value: '1' }, as(a));
  expect((await ask('GET', '/v1/secrets/S', undefined, as(b))).status).toBe(404);
});

test('a key may do what its scopes say', async () => {
  const { keys, ask, as } = await withKeys();
  const reader = as((await keys('add', 'reader', '--scope', 'read')).stdout);
  expect((await ask('GET', '/v1/sandboxes', undefined, reader)).status).toBe(200);
  expect(await ask('POST', '/v1/sandboxes', {}, reader)).toMatchObject({
    status: 403,
    body: { code: 'FORBIDDEN', scope: 'write' },
  });
  expect((await ask('GET', '/v1/secrets', undefined, reader)).status).toBe(403);
});

test('keys that cannot be read leave those in force', async () => {
  const { keys, folder, ask, as, lines } = await withKeys();
  const key = as((await keys('add', 'a')).stdout);
  expect((await ask('GET', '/v1/sandboxes', undefined, key)).status).toBe(200);
  writeFileSync(join(folder, 'keys.json'), '[{');
  expect((await ask('GET', '/v1/sandboxes', undefined, key)).status).toBe(200);
  expect(lines.join()).toContain('those before stay in force');
});

test('what changes something or is refused is in the audit journal, and no secret with it', async () => {
  const { folder, ask } = await withKeys();
  const made = await ask('POST', '/v1/sandboxes', { env: { A: 'hidden-value' } });
  await ask('GET', `/v1/sandboxes/${made.body.id}`);
  await ask('GET', '/v1/sandboxes?x=hidden-query', undefined, { authorization: 'Bearer hidden-token' });
  const [file] = readdirSync(join(folder, 'audit'));
  const lines = () =>
    readFileSync(join(folder, 'audit', file!), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  await expect.poll(lines, { timeout: 30_000 }).toMatchObject([
    {
      key: 'default',
      method: 'POST',
      path: '/v1/sandboxes',
      status: 201,
      id: made.headers.get('x-request-id'),
    },
    { key: '', method: 'GET', path: '/v1/sandboxes', status: 401, code: 'UNAUTHORIZED' },
  ]);
  expect(JSON.stringify(lines())).not.toContain('hidden');
});

test('metrics count sandboxes and calls', async () => {
  const { ask } = await frontTest();
  await ask('POST', '/v1/sandboxes');
  const { body } = await ask('GET', '/metrics', undefined, { authorization: '' });
  expect(body).toMatch(/runtime_serve_sandboxes\{status="(running|provisioning)"\} 1/);
  expect(body).toContain('runtime_serve_call_seconds_count{route="/v1/sandboxes",status="2xx"} 1');
  expect(body).toContain('runtime_serve_capacity{host="model",what="slots",of="used"} 1');
});

test('a bucket gives so many at once, and more with time', () => {
  let now = 0;
  const limit = new RateLimit(() => now);
  for (let at = 0; at < 60; at++) limit.take('a', 'reads', 60);
  expect(() => limit.take('a', 'reads', 60)).toThrow(
    expect.objectContaining({ status: 429, headers: { 'retry-after': '1' } }),
  );
  limit.take('b', 'reads', 60);
  now = 1000;
  limit.take('a', 'reads', 60);
  expect(() => limit.take('a', 'reads', 60)).toThrow();
});

test('a token is void after fifteen minutes, and under another key', () => {
  let now = Date.UTC(2026, 0);
  const tokens = sidecarTokens(makeSigningKey(), () => now);
  const { token, expiresAt } = tokens.make({ sub: 'a', cid: 'sb', cap: ['files'] });
  expect(tokens.read(token)).toMatchObject({ sub: 'a', cid: 'sb', cap: ['files'] });
  expect(sidecarTokens(makeSigningKey(), () => now).read(token)).toBeUndefined();
  // The algorithm is not the token's to choose.
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  expect(tokens.read(`${none}.${token.split('.')[1]}.`)).toBeUndefined();
  expect(tokens.read('a.b.c')).toBeUndefined();
  now = expiresAt;
  expect(tokens.read(token)).toBeUndefined();
});
