import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { healthy, hostsFile, machine, runningSandbox, slots } from '../../../../support/serve/machines.ts';

const forged = { 'x-runtime-hop': '1' };
const noKey = { authorization: '' };

async function twoHosts() {
  const seen: IncomingHttpHeaders[] = [];
  const b = await machine(10, ({ headers, url }) => {
    seen.push(headers);
    return url === '/ports' ? { data: { ports: [] } } : { inside: url };
  });
  const front = await frontTest({ hosts: slots(0), hostsFile: await hostsFile([{ name: 'b', url: b.url }]) });
  await healthy(front, ['b']);
  const { id, authToken } = await runningSandbox(front);
  return { front, b, id, seen, token: { authorization: `Bearer ${authToken}` } };
}

test('nobody but a host of the pool says that a call was sent on, by a key, a token or a link', async () => {
  const { front, id, token } = await twoHosts();
  const made = await front.ask('POST', `/v1/sandboxes/${id}/runtime/preview-links`, { port: 3000 }, forged);
  expect(made.status).toBe(201);
  const link = new URL(made.body.previewLink.url).pathname;
  const asked = [
    await front.ask('GET', `/v1/sandboxes/${id}`, undefined, forged),
    await front.ask('GET', `/v1/sandboxes/${id}/runtime/process`, undefined, forged),
    await front.ask('GET', `/sidecar/${id}/process`, undefined, { ...token, ...forged }),
    await front.ask('GET', `/sidecar/${id}/health`, undefined, { ...noKey, ...forged }),
    await front.ask('GET', `${link}a`, undefined, { ...noKey, ...forged }),
  ];
  expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

test('a host that shows its key is answered here alone', async () => {
  const { front, id } = await twoHosts();
  const hop = { 'x-runtime-hop': 'sk_test' };
  expect((await front.ask('GET', `/v1/sandboxes/${id}`, undefined, hop)).status).toBe(404);
  expect((await front.ask('GET', `/sidecar/${id}/health`, undefined, { ...noKey, ...hop })).status).toBe(404);
});

test('no sandbox is shown what servers tell each other', async () => {
  const { front, b, id, seen, token } = await twoHosts();
  await front.ask('GET', `/v1/sandboxes/${id}/runtime/process`);
  await front.ask('GET', `/sidecar/${id}/process`, undefined, token);
  await b.ask('GET', `/v1/sandboxes/${id}/runtime/process`, undefined, {
    authorization: 'Bearer sk_member',
    ...forged,
  });
  expect(seen.length).toBeGreaterThanOrEqual(3);
  for (const headers of seen)
    expect(Object.keys(headers).filter((name) => name.startsWith('x-runtime'))).toEqual([]);
});

test('keys are not guessed by it faster than in their own place', async () => {
  const front = await frontTest();
  let asked = await front.ask('GET', '/healthz', undefined, forged);
  for (let tries = 0; asked.status === 200 && tries < 200; tries++)
    asked = await front.ask('GET', '/healthz', undefined, { 'x-runtime-hop': `guess-${tries}` });
  expect(asked).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
});
