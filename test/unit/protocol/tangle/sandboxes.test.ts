import { expect, test } from 'vitest';
import { frontTest } from '../../../support/serve/frontTest.ts';

test('a sandbox is made, found, listed, stopped, resumed and deleted', async () => {
  const { ask, sandboxes } = await frontTest();
  const made = await ask('POST', '/v1/sandboxes', {
    name: 'one',
    env: { A: '1' },
    resources: { cpuCores: 0.5, memoryMB: 256, diskGB: 1 },
    maxLifetimeSeconds: 60,
    idleTimeoutSeconds: 30,
    metadata: { team: 'alpha' },
    unknown: 'passes',
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ status: 'provisioning', name: 'one', metadata: { team: 'alpha' } });
  const { id } = made.body;
  await expect
    .poll(async () => (await ask('GET', `/v1/sandboxes/${id}`)).body.status, { timeout: 30_000 })
    .toBe('running');
  const { body } = await ask('GET', `/v1/sandboxes/${id}`);
  expect(body.connection.sidecarUrl).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/sidecar/${id}$`));
  expect(new Date(body.createdAt).getTime()).not.toBeNaN();
  expect(sandboxes.asked[0]).toMatchObject({
    owner: 'default',
    env: { A: '1' },
    resources: { cpuMillis: 500, memoryBytes: 256 * 2 ** 20, diskBytes: 2 ** 30 },
    lifetimeMs: 60_000,
    idleMs: 30_000,
  });
  expect((await ask('GET', '/v1/sandboxes?status=running&status=failed')).body.sandboxes).toHaveLength(1);
  expect((await ask('GET', '/v1/sandboxes?status=stopped')).body.sandboxes).toHaveLength(0);
  expect((await ask('GET', '/v1/sandboxes?offset=1')).body.sandboxes).toHaveLength(0);
  expect((await ask('POST', `/v1/sandboxes/${id}/stop`)).body.status).toBe('stopped');
  expect((await ask('POST', `/v1/sandboxes/${id}/resume`)).body.status).toBe('running');
  const kept = await ask('PATCH', `/v1/sandboxes/${id}`, { idleTimeoutSeconds: 90 });
  expect(kept.body.idleTimeoutSeconds).toBe(90);
  expect(await ask('DELETE', `/v1/sandboxes/${id}`)).toMatchObject({ status: 200, body: { success: true } });
  expect(await ask('DELETE', `/v1/sandboxes/${id}`)).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND', resourceType: 'sandbox', resourceId: id },
  });
});

test('the other spelling of resources is the same', async () => {
  const { ask, sandboxes } = await frontTest();
  await ask('POST', '/v1/sandboxes', { resources: { cpu: 2, memoryMb: 512, storageMb: 2048 } });
  expect(sandboxes.asked[0]!.resources).toMatchObject({
    cpuMillis: 2000,
    memoryBytes: 512 * 2 ** 20,
    diskBytes: 2 * 2 ** 30,
  });
});

test.each([
  [{ name: 7 }, 400, 'VALIDATION_ERROR'],
  [{ env: { '1A': 'x' } }, 400, 'VALIDATION_ERROR'],
  ['{', 400, 'VALIDATION_ERROR'],
  ['[]', 400, 'VALIDATION_ERROR'],
  [{ git: { url: 'https://example.com/a.git' } }, 501, 'NOT_SUPPORTED'],
  [{ resources: { accelerator: { kind: 'gpu' } } }, 501, 'NOT_SUPPORTED'],
  [{ egressPolicy: { mode: 'strict', allowDomains: ['example.com'] } }, 403, 'POLICY_DENIED'],
])('%j is refused with %i, and nothing is made', async (body, status, code) => {
  const { ask, sandboxes } = await frontTest();
  const answer = await ask('POST', '/v1/sandboxes', body);
  expect(answer).toMatchObject({ status, body: { code } });
  expect(answer.body.message).toBe(answer.body.error);
  expect(sandboxes.asked).toEqual([]);
});

test.each([
  [{ egressPolicy: { mode: 'blocked' } }, 'none'],
  [{ egressPolicy: { mode: 'open' } }, 'internet'],
  [{ egressPolicy: { mode: 'strict' } }, 'none'],
  [{ egressPolicy: { mode: 'strict', allowDomains: ['198.41.0.4'] } }, ['198.41.0.4/32']],
  [{ network: { allowList: ['198.41.0.0/24'] } }, ['198.41.0.0/24']],
  [{ network: { blockOutbound: true } }, 'none'],
])('egress: %j', async (body, egress) => {
  const { ask, sandboxes } = await frontTest();
  expect((await ask('POST', '/v1/sandboxes', body)).status).toBe(201);
  expect(sandboxes.asked[0]!.egress).toEqual(egress);
});

test('who has no key, or another, gets nowhere; what is unknown is said as JSON', async () => {
  const { ask } = await frontTest();
  for (const authorization of ['', 'Bearer sk_other', 'Basic c2tfdGVzdA=='])
    expect(await ask('GET', '/v1/sandboxes', undefined, { authorization })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED' },
    });
  expect((await ask('GET', '/health', undefined, { authorization: '' })).status).toBe(200);
  expect(await ask('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  expect((await ask('PUT', '/v1/sandboxes')).headers.get('allow')).toBe('GET, POST');
  expect(await ask('POST', '/v1/images')).toMatchObject({ status: 501, body: { code: 'NOT_SUPPORTED' } });
  // Shown to everybody on the platform.
  expect((await ask('GET', '/v1/backends', undefined, { authorization: '' })).status).toBe(501);
});

test('a status that does not fit is 409 with both', async () => {
  const { ask, sandboxes } = await frontTest();
  const { body } = await ask('POST', '/v1/sandboxes');
  sandboxes.set(body.id, { status: 'expired' });
  expect(await ask('POST', `/v1/sandboxes/${body.id}/stop`)).toMatchObject({
    status: 409,
    body: { code: 'INVALID_STATE', currentState: 'expired' },
  });
});

test.each([{ memoryMB: 64 }, { memoryMb: 127 }])(
  '%o leaves a command no room: 400 says how much it takes',
  async (resources) => {
    const { ask, sandboxes } = await frontTest();
    const { status, body } = await ask('POST', '/v1/sandboxes', { resources });
    expect({ status, message: body.message }).toMatchObject({
      status: 400,
      message: expect.stringContaining('at least 128'),
    });
    expect(sandboxes.all()).toEqual([]);
    expect((await ask('POST', '/v1/sandboxes', { resources: { memoryMB: 128 } })).status).toBe(201);
  },
);

test('what the platform’s OpenAPI has in its own words: a status of what is gone, a count of hosts, usage', async () => {
  const { ask } = await frontTest();
  const { id } = (await ask('POST', '/v1/sandboxes', {})).body;
  expect(await ask('GET', '/v1/sandboxes?status=deleted')).toMatchObject({
    status: 200,
    body: { sandboxes: [] },
  });
  expect((await ask('GET', `/v1/sandboxes/${id}/driver`)).body).toMatchObject({
    hosts: 1,
    hostNames: ['model'],
  });
  expect((await ask('GET', '/v1/usage')).body).toMatchObject({
    success: true,
    data: {
      orgId: 'default',
      period: expect.stringMatching(/^\d{4}-\d{2}$/),
      computeMs: expect.any(Number),
      active_sandboxes: expect.any(Number),
      activeSessionCount: 0,
    },
  });
});
