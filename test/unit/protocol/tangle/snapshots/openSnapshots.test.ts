import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KeptSnapshot } from '../../../../../src/protocol/tangle/snapshots/keptSnapshot.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { frontTest } from '../../../../support/serve/frontTest.ts';

/** What a server has whose main key keeps so many snapshots, of sandboxes that are gone. */
async function withKept(count: number): Promise<string> {
  const folder = await temporaryDirectory();
  mkdirSync(join(folder, 'snapshots'));
  for (let at = 0; at < count; at++) {
    const kept: KeptSnapshot = {
      id: `snp-${at}`,
      owner: 'default',
      sandbox: `sbx-${at % 50}`,
      sequence: 0,
      createdAt: 0,
      tags: [],
      files: 0,
      bytes: 0,
      state: 'kept',
    };
    writeFileSync(join(folder, 'snapshots', `${kept.id}.json`), JSON.stringify(kept));
  }
  return folder;
}

test.each([
  [1000, { status: 429, body: { quotaType: 'snapshots', current: 1000, limit: 1000 } }],
  [999, { status: 201 }],
])('a key that has %i snapshots, of sandboxes that are gone, and wants another', async (count, answer) => {
  const { ask, sandboxes } = await frontTest({ folder: await withKept(count) });
  const { body } = await ask('POST', '/v1/sandboxes', {});
  await expect.poll(() => sandboxes.find(body.id)?.status).toBe('running');
  await ask('POST', `/v1/sandboxes/${body.id}/stop`);
  const got = await ask('POST', `/v1/sandboxes/${body.id}/snapshot`);
  expect(got).toMatchObject(answer);
  // Whoever has to wait is told how long.
  expect(got.headers.get('retry-after')).toBe(got.status === 429 ? '60' : null);
});

test('of those that ask at once only as many are taken as there is room for', async () => {
  const { ask, sandboxes } = await frontTest({ folder: await withKept(999) });
  const { body } = await ask('POST', '/v1/sandboxes', {});
  await expect.poll(() => sandboxes.find(body.id)?.status).toBe('running');
  await ask('POST', `/v1/sandboxes/${body.id}/stop`);
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => ask('POST', `/v1/sandboxes/${body.id}/snapshot`)),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 429, 429, 429, 429, 429]);
});
