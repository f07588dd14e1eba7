import { expect, test } from 'vitest';
import { frontTest } from '../../../../support/serve/frontTest.ts';

const agent = { runtime: 'nodejs20', code: 'a.zip', entrypoint: 'a.mjs' };

test('a sandbox and a key have only so many sessions, and one that is deleted makes room', {
  timeout: 120_000,
}, async () => {
  const { ask } = await frontTest();
  const create = async () => {
    const { body } = await ask('POST', '/v1/sandboxes', { agent });
    return body.id as string;
  };
  const sessionOf = (sandboxId: string) => ask('POST', '/v1/sessions', { sandboxId });
  const first = await create();
  let last = '';
  for (let at = 0; at < 256; at++) last = (await sessionOf(first)).body.id;
  expect(await sessionOf(first)).toMatchObject({
    status: 429,
    body: { code: 'QUOTA_EXCEEDED', quotaType: 'sessions', current: 256, limit: 256 },
  });
  expect((await ask('DELETE', `/v1/sessions/${last}`)).status).toBe(200);
  expect((await sessionOf(first)).status).toBe(201);

  // Those of all its sandboxes together.
  for (let made = 256; made < 1000; ) {
    const another = await create();
    for (let at = 0; at < 250 && made < 1000; at++, made++)
      expect((await sessionOf(another)).status).toBe(201);
  }
  expect(await sessionOf(await create())).toMatchObject({
    status: 429,
    body: { quotaType: 'sessions', current: 1000, limit: 1000 },
  });
});
