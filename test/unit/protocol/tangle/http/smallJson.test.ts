import { expect, test } from 'vitest';
import { frontTest } from '../../../../support/serve/frontTest.ts';

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const deep = nested(200_000);

test('metadata is small and shallow enough for every list that shows it; what is not has made nothing', async () => {
  const { ask, sandboxes } = await frontTest();
  const refused = { status: 400, body: { fields: { metadata: expect.stringContaining('at most') } } };
  for (const metadata of [deep, nested(3000), nested(65), JSON.stringify('x'.repeat(20_000))]) {
    expect(await ask('POST', '/v1/sandboxes', `{"metadata":${metadata}}`)).toMatchObject(refused);
    expect(await ask('POST', '/v1/sessions', `{"config":{},"metadata":${metadata}}`)).toMatchObject(refused);
  }
  expect(sandboxes.all()).toEqual([]);
  expect((await ask('POST', '/v1/sandboxes', `{"metadata":${nested(64)}}`)).status).toBe(201);
  const agent = { runtime: 'nodejs20', code: 'a.zip', entrypoint: 'a.mjs' };
  const made = await ask('POST', '/v1/sandboxes', { metadata: { note: 'x'.repeat(10_000) }, agent });
  expect(made).toMatchObject({ status: 201, body: { metadata: { note: expect.any(String) } } });
  const { body: session } = await ask('POST', '/v1/sessions', { sandboxId: made.body.id });
  for (const path of [
    `/v1/sessions/${session.id}/message`,
    `/v1/sandboxes/${made.body.id}/runtime/agents/run`,
  ])
    expect(await ask('POST', path, `{"message":"hi","metadata":{"a":${deep}}}`)).toMatchObject(refused);
});
