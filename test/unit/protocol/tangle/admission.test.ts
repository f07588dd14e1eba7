import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { readEvents } from '../../../support/serve/eventReader.ts';
import { frontTest, modelHost } from '../../../support/serve/frontTest.ts';
import { modelSandboxes } from '../../../support/serve/modelSandboxes.ts';

async function policyFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'policy.yaml');
  writeFileSync(path, text);
  return path;
}

test('a policy refuses with all its reasons, and /v1/ready says the same beforehand; nothing is left', async () => {
  const policy = await policyFile(
    'default: {tools: [files], egress: none, secrets: [], resources: {cpuCores: 1, memoryMB: 128}}',
  );
  const { ask, sandboxes } = await frontTest({ policy });
  const body = {
    capabilities: ['exec'],
    egressPolicy: { mode: 'open' },
    secrets: ['DB'],
    image: 'evil',
    driver: { type: 'firecracker' },
    resources: { cpuCores: 2 },
  };
  const refused = await ask('POST', '/v1/sandboxes', body);
  expect(refused).toMatchObject({ status: 403, body: { code: 'POLICY_DENIED' } });
  expect(refused.body.violations.map(({ rule }: { rule: string }) => rule).sort()).toEqual([
    'domains',
    'image',
    'provider',
    'resources',
    'secrets',
    'tools',
  ]);
  const ready = await ask('POST', '/v1/ready', body);
  expect(ready.body.ready).toBe(false);
  const [, , policyCheck] = ready.body.checks;
  expect(policyCheck).toMatchObject({
    name: 'policy',
    ok: false,
    details: { violations: refused.body.violations },
  });
  expect(sandboxes.asked).toEqual([]);
  // What says nothing gets no more than the policy has.
  expect((await ask('POST', '/v1/sandboxes')).status).toBe(201);
  expect(sandboxes.asked[0]).toMatchObject({ egress: 'none', resources: { memoryBytes: 128 * 2 ** 20 } });
});

test('the five checks of readiness, by address', async () => {
  const { ask, sandboxes } = await frontTest();
  const { body } = await ask(
    'GET',
    '/v1/ready?cpuCores=1&memoryMB=512&tools=exec,files&domains=9.9.9.0/24&driver=docker',
  );
  expect(body.ready).toBe(true);
  expect(body.checks.map(({ name }: { name: string }) => name)).toEqual([
    'session-api',
    'capacity',
    'policy',
    'events',
    'chain',
  ]);
  expect((await ask('GET', '/v1/ready?cpuCores=100000')).body.ready).toBe(false);
  expect((await ask('GET', '/v1/ready?secrets=NOT_THERE')).body.checks[2]).toMatchObject({ ok: false });
  expect((await ask('GET', '/v1/ready?cpuCores=many')).status).toBe(400);
  expect(sandboxes.asked).toEqual([]);
});

test('a full host says what is short: 503, Retry-After, and all of it in the message', async () => {
  const { ask, sandboxes } = await frontTest({
    hosts: () => [{ ...modelHost, total: { ...modelHost.total, memoryBytes: 600 * 2 ** 20 } }],
  });
  const first = await ask('POST', '/v1/sandboxes');
  expect(first.status).toBe(201);
  const full = await ask('POST', '/v1/sandboxes');
  expect(full).toMatchObject({
    status: 503,
    body: { code: 'NO_CAPACITY', short: [{ what: 'memoryBytes' }] },
  });
  expect(full.headers.get('retry-after')).toBe('30');
  expect(full.body.message).toContain('512 MB of memory asked, 88 of 600 free');
  expect((await ask('POST', '/v1/ready', {})).body.checks[1]).toMatchObject({ name: 'capacity', ok: false });
  // One that stands still gives its memory back, and asks for it again.
  await ask('POST', `/v1/sandboxes/${first.body.id}/stop`);
  expect((await ask('POST', '/v1/sandboxes')).status).toBe(201);
  expect(await ask('POST', `/v1/sandboxes/${first.body.id}/resume`)).toMatchObject({ status: 503 });
  expect(sandboxes.asked).toHaveLength(2);
  const driver = await ask('GET', `/v1/sandboxes/${first.body.id}/driver`);
  expect(driver.body).toMatchObject({
    type: 'docker',
    available: true,
    capacity: { available: 98, total: 100 },
  });
  expect((await ask('GET', '/v1/hosts')).body.hosts[0]).toMatchObject({
    healthy: true,
    used: { sandboxes: 2 },
  });
});

test('a host that is not well gets nothing', async () => {
  const { ask } = await frontTest({ hosts: () => [{ ...modelHost, unfit: 'its engine does not answer' }] });
  expect((await ask('POST', '/v1/sandboxes')).body.message).toContain('its engine does not answer');
});

test('a key has only so many: 429 with the quota', async () => {
  const policy = await policyFile('default: {resources: {sandboxes: 1}}');
  const { ask } = await frontTest({ policy });
  const body = { idempotencyKey: 'one' };
  const made = await ask('POST', '/v1/sandboxes', body);
  expect(await ask('POST', '/v1/sandboxes')).toMatchObject({
    status: 429,
    body: { code: 'QUOTA_EXCEEDED', quotaType: 'sandboxes', current: 1, limit: 1 },
  });
  // Asked again with its key it is the same one, however full it is.
  expect((await ask('POST', '/v1/sandboxes', body)).status).toBe(201);
  expect((await ask('PATCH', `/v1/sandboxes/${made.body.id}`, { idleTimeoutSeconds: 999_999 })).status).toBe(
    403,
  );
});

test('an egress that nothing holds is refused, not weakened', async () => {
  const { ask, sandboxes } = await frontTest({ holdsEgress: false });
  expect((await ask('POST', '/v1/sandboxes', { egressPolicy: { mode: 'blocked' } })).status).toBe(403);
  expect((await ask('POST', '/v1/sandboxes', { egressPolicy: { mode: 'open' } })).status).toBe(201);
  expect(sandboxes.asked).toHaveLength(1);
});

test('secrets are kept, given to sandboxes by name, and never shown among the rest', async () => {
  const { ask, sandboxes, lines } = await frontTest();
  expect((await ask('POST', '/v1/secrets', { name: 'DB_URL', value: 's3cret' })).status).toBe(201);
  expect((await ask('POST', '/v1/secrets', { name: 'DB_URL', value: 'x' })).status).toBe(409);
  expect((await ask('POST', '/v1/secrets', { name: '1', value: 'x' })).status).toBe(400);
  const list = await ask('GET', '/v1/secrets');
  expect(list.body.secrets).toMatchObject([{ name: 'DB_URL' }]);
  expect(JSON.stringify(list.body)).not.toContain('s3cret');
  expect((await ask('GET', '/v1/secrets/DB_URL')).body.value).toBe('s3cret');
  const made = await ask('POST', '/v1/sandboxes', { secrets: ['DB_URL'] });
  expect(sandboxes.asked[0]!.secretEnv.DB_URL!.reveal()).toBe('s3cret');
  expect(JSON.stringify([made.body, lines])).not.toContain('s3cret');
  expect(await ask('POST', '/v1/sandboxes', { secrets: ['GONE'] })).toMatchObject({
    status: 404,
    body: { resourceType: 'secret' },
  });
  expect((await ask('PATCH', '/v1/secrets/DB_URL', { value: 'new' })).status).toBe(200);
  expect((await ask('GET', '/v1/secrets/DB_URL')).body.value).toBe('new');
  expect((await ask('DELETE', '/v1/secrets/DB_URL')).status).toBe(200);
  expect((await ask('DELETE', '/v1/secrets/DB_URL')).status).toBe(404);
});

test('the network of one that stands still can be changed, within its policy', async () => {
  const { ask } = await frontTest();
  const { body } = await ask('POST', '/v1/sandboxes');
  const path = `/v1/sidecars/${body.id}/network`;
  expect((await ask('GET', path)).body).toMatchObject({
    blockOutbound: false,
    egress: 'internet',
    enforced: true,
  });
  expect((await ask('PATCH', path, { blockOutbound: true })).status).toBe(409);
  await ask('POST', `/v1/sandboxes/${body.id}/stop`);
  expect((await ask('PATCH', path, { blockOutbound: true })).body.blockOutbound).toBe(true);
  expect((await ask('PATCH', path, { allowList: ['9.9.9.0/24'] })).body.allowList).toEqual(['9.9.9.0/24']);
  for (const wrong of [
    { blockOutbound: true, allowList: ['9.9.9.0/24'] },
    { allowList: ['example.com'] },
    { allowList: ['10.0.0.0/8'] },
  ])
    expect((await ask('PATCH', path, wrong)).status).toBe(403);
  expect((await ask('POST', `${path}/expose`, { port: 3000 })).body.url).toMatch(
    /\/preview\/[^/]+\/prv-[^/]+\/$/,
  );
  expect((await ask('POST', `${path}/expose`, { port: 0 })).status).toBe(400);
});

test('where a sandbox goes and what is refused inside of it are events of it, with the reasons', async () => {
  const { ask, url } = await frontTest();
  const { body } = await ask('POST', '/v1/sandboxes', { capabilities: ['files'] });
  expect((await ask('POST', `/v1/sandboxes/${body.id}/runtime/terminals/commands`, {})).status).toBe(403);
  const stream = await readEvents(`${url}/v1/sandboxes/${body.id}/events?since=0`);
  onTestFinished(() => stream.cut());
  const placed = await stream.until(({ type }) => type === 'sandbox.placed');
  expect(placed.data).toMatchObject({ host: 'model', why: expect.stringContaining('least loaded') });
  const denied = await stream.until(({ type }) => type === 'tool.denied');
  expect(denied.data).toMatchObject({ tool: 'exec', open: ['files'], key: 'default' });
});

test('a dry run answers as /v1/ready does, and makes nothing', async () => {
  const { ask, sandboxes } = await frontTest();
  const { body } = await ask('POST', '/v1/sandboxes', { dryRun: true, resources: { memoryMB: 1e9 } });
  expect(body).toMatchObject({
    ready: false,
    checks: expect.arrayContaining([expect.objectContaining({ name: 'capacity' })]),
  });
  expect(sandboxes.asked).toEqual([]);
});

test('the addresses of what listens inside', async () => {
  const inside = createServer((_, response) => response.end('{"data":{"ports":[{"port":3000}]}}')).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => inside.once('listening', resolve));
  onTestFinished(() => void inside.close());
  const { port } = inside.address() as AddressInfo;
  const { ask, sandboxes } = await frontTest({
    sandboxes: modelSandboxes(async () => connect(port, '127.0.0.1')),
  });
  const { body } = await ask('POST', '/v1/sandboxes');
  await expect.poll(() => sandboxes.find(body.id)?.status, { timeout: 30_000 }).toBe('running');
  const { urls } = (await ask('GET', `/v1/sidecars/${body.id}/network/urls`)).body;
  expect(urls).toEqual({ 3000: expect.stringMatching(/\/runtime\/ports\/3000\/$/) });
});

test('what is resumed is measured by the policy of today, and so is what is called inside', async () => {
  const policy = await policyFile('default: {}');
  const { ask } = await frontTest({ policy });
  const { body } = await ask('POST', '/v1/sandboxes', {
    resources: { memoryMB: 1024 },
    agent: { runtime: 'python3.11', code: 'agents/a/code.tar', entrypoint: 'main.py' },
  });
  await expect.poll(async () => (await ask('GET', `/v1/sandboxes/${body.id}`)).body.status).toBe('running');
  await ask('POST', `/v1/sandboxes/${body.id}/stop`);
  writeFileSync(policy, 'default: {tools: [files], code: [agents/b/*], resources: {memoryMB: 512}}');
  const refused = await ask('POST', `/v1/sandboxes/${body.id}/resume`);
  expect(refused).toMatchObject({ status: 403, body: { code: 'POLICY_DENIED' } });
  expect(refused.body.violations.map(({ rule }: { rule: string }) => rule)).toEqual(['code', 'resources']);
  expect((await ask('GET', `/v1/sandboxes/${body.id}`)).body.status).toBe('stopped');

  writeFileSync(policy, 'default: {tools: [files], code: ["agents/a/*"], resources: {memoryMB: 2048}}');
  expect((await ask('POST', `/v1/sandboxes/${body.id}/resume`)).status).toBe(200);
  const inside = await ask('POST', `/v1/sandboxes/${body.id}/runtime/terminals/commands`, {
    command: 'true',
  });
  expect(inside).toMatchObject({ status: 403, body: { code: 'TOOL_DENIED' } });
});
