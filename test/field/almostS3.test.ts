import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { supervised } from '../support/process/supervised.ts';
import type { ProxiedRequest } from '../support/store/faultProxy.ts';
import { both, faultyBot, isGet, isHead, isPack, isPut, isState } from '../support/store/faultyStore.ts';
import { minioClient } from '../support/store/minio.ts';
import { selfSigned } from '../support/store/selfSigned.ts';

/** More than fits into the head. */
const big = 'head -c 300000 /dev/urandom > big; md5sum big > sum';
const saves = 'echo kept > f';

test.each([
  ['the start', both(isGet, isHead)],
  ['the last save', both(isPut, isPack)],
])('503 with Retry-After: 120, as MinIO says it, does not end %s', async (_, when) => {
  const bot = await faultyBot(big);
  bot.strike(when, { status: 503, code: 'SlowDown', headers: { 'retry-after': '120' } });
  const end = await bot.start().finished;
  expect(end.code, end.stderr).toBe(0);
  expect(bot.struck()).toBe(1);
  expect(await bot.saved('md5sum -c sum')).toBe('big: OK\n');
});

test('a gateway that does not implement conditional writes: weaker fencing and a warning', async () => {
  const bot = await faultyBot(saves);
  const isConditional = ({ method, headers }: ProxiedRequest) =>
    method === 'PUT' && ('if-match' in headers || 'if-none-match' in headers);
  bot.strike(isConditional, { status: 501, code: 'NotImplemented' }, 999);
  const end = await bot.start().finished;
  expect(end.code, end.stderr).toBe(0);
  expect(end.stderr).toContain('fencing is weaker');
  expect(bot.struck()).toBeGreaterThan(0);
  expect(await bot.saved('cat f')).toBe('kept\n');
});

test.each([
  [409, 'ConditionalRequestConflict'],
  [412, 'PreconditionFailed'],
])('each write of the head is answered with %i: 69, and an end', async (status, code) => {
  const bot = await faultyBot(saves);
  bot.strike(both(isPut, isHead), { status, code }, 9999);
  const end = await bot.start({ START_TIMEOUT: '2s' }).finished;
  expect(end.code, end.stderr).toBe(69);
  expect(end.stderr).toContain('decide');
});

test('a store that takes the claim and says nothing: START_TIMEOUT is the limit of the whole of it', async () => {
  const bot = await faultyBot(saves);
  bot.strike(both(isPut, isHead), { hang: true }, 9999);
  // What became of the claim is asked as well, and is not answered either.
  const isFirst = () => bot.proxy.requests.filter(both(isGet, isHead)).length === 0;
  bot.strike((request) => both(isGet, isHead)(request) && !isFirst(), { hang: true }, 9999);
  const end = await bot.start({ START_TIMEOUT: '2s' }).finished;
  expect(end.code, end.stderr).toBe(69);
  expect(end.stderr).toContain('has not answered within 3200 ms');
});

test('a gateway that knows no ranges: restored', async () => {
  const bot = await faultyBot(big);
  expect((await bot.start().finished).code).toBe(0);
  const again = await faultyBot('md5sum -c sum');
  again.strike(both(isGet, isState), { withoutRange: true }, 999);
  const end = await again.start({ BOT_ID: bot.env.BOT_ID! }).finished;
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: 'big: OK\n' });
  expect(again.proxy.requests.some(({ headers, fault }) => fault !== undefined && headers.range)).toBe(true);
});

test.each([
  ['packs its answers', { packed: true }, 'recodes its answers'],
  ['takes out the ETag', { withoutHeader: 'etag' }, 'takes the ETag out'],
  ['is a portal', { page: '<html>Please log in</html>' }, 'no store'],
] as const)('a proxy that %s: 69 that says so, and no word of damage', async (_, fault, hint) => {
  const bot = await faultyBot(big);
  expect((await bot.start().finished).code).toBe(0);
  const again = await faultyBot('echo ran');
  again.strike(both(isGet, isState), fault, 999);
  const end = await again.start({ BOT_ID: bot.env.BOT_ID!, START_TIMEOUT: '5s' }).finished;
  expect(end, end.stderr).toMatchObject({ code: 69, stdout: '' });
  expect(end.stderr).toContain(hint);
});

test('an ingress that has lost the store and answers 404 with a page: no new bot, but 69; a query as well', async () => {
  const bot = await faultyBot(big);
  expect((await bot.start().finished).code).toBe(0);
  const again = await faultyBot('ls; echo ran >&2');
  const asks = (request: ProxiedRequest) => isState(request) && !isPut(request);
  again.strike(asks, { page: '<html>default backend - 404</html>', status: 404 }, 999);
  const env = { BOT_ID: bot.env.BOT_ID!, START_TIMEOUT: '2s' };
  for (const query of [{}, { QUERY_PATH: '/x' }]) {
    const end = await again.start({ ...env, ...query }).finished;
    expect(end.code, end.stderr).toBe(69);
    expect(end.stderr).not.toContain('ran');
  }
});

test('empty objects with which a console marks folders are no state: the bot is new, and starts', async () => {
  const bot = await supervised(saves);
  const client = minioClient(inject('minio'));
  // The bucket is made by the first bot that saves something.
  expect((await supervised(saves).then((other) => other.start().finished)).code).toBe(0);
  for (const folder of ['manifests/', 'packs/'])
    await client.putObject('bot-state', `${bot.env.BOT_ID}/${folder}`, '');
  const end = await bot.start().finished;
  expect(end.code, end.stderr).toBe(0);
  expect(await bot.saved('cat f')).toBe('kept\n');
});

test.each(['SSL_CERT_FILE', 'AWS_CA_BUNDLE'])('an authority of one’s own by %s', async (variable) => {
  const certificate = selfSigned();
  const server = https.createServer(certificate, (request, response) => {
    const { method, url: path, headers } = request;
    const onward = http.request({ port: inject('minio').port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const bot = await supervised(`${saves}; echo "$${variable}"`);
  const file = join(bot.container.root, 'authority.pem');
  writeFileSync(file, certificate.cert);
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const others = { SSL_CERT_FILE: '', AWS_CA_BUNDLE: '', NODE_EXTRA_CA_CERTS: '' };
  const refused = await bot.start({ ...others, MINIO_ENDPOINT: endpoint }).finished;
  expect(refused.code, refused.stderr).toBe(69);
  expect(refused.stderr).toContain(variable);
  const end = await bot.start({ ...others, MINIO_ENDPOINT: endpoint, [variable]: file }).finished;
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: `${file}\n` });
  expect(await bot.saved('cat f')).toBe('kept\n');
});
