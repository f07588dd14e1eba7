import { expect, test } from 'vitest';
import { createQuotas } from '../../../../src/host/folderStore/quotas.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { memoryLog } from '../../../support/memoryLog.ts';

const MiB = 2 ** 20;

/** A store of which only what lies in it is asked. */
function bucket(sizes: Record<string, number>) {
  let counts = 0;
  const store = {
    async *list(prefix: string) {
      counts += 1;
      for (const [key, size] of Object.entries(sizes)) if (key.startsWith(prefix)) yield { key, size };
    },
  } as unknown as ObjectStore;
  return { store, counts: () => counts };
}

test('a bot keeps no more than its quota, also in small objects, and has room again when it has removed some', async () => {
  let now = 0;
  const { log, lines } = memoryLog();
  const sizes: Record<string, number> = { 'a/old': 3 * MiB, 'logs/a/x': 9 * MiB, 'b/x': 9 * MiB };
  const { store, counts } = bucket(sizes);
  const quotas = createQuotas({
    quotaOf: (bot) => (bot === 'a' ? 10 * MiB : undefined),
    now: () => now,
    log,
  });
  const put = (key: string, bytes: number) => quotas.admit('state', key, store, bytes);
  await put('a/1', 3 * MiB);
  await put('a/2', 3 * MiB);
  await expect(put('a/3', 2 * MiB)).rejects.toMatchObject({ status: 507 });
  // Its logs are another place, and others have no quota, or one of their own.
  await put('logs/a/y', MiB - 2 * 4096);
  await expect(put('logs/a/y', 0)).rejects.toMatchObject({ status: 507 });
  await put('b/y', 100 * MiB);
  expect(counts()).toBe(2);

  delete sizes['a/old'];
  await expect(put('a/3', 2 * MiB)).rejects.toMatchObject({ status: 507 });
  now += 10_000;
  await put('a/3', 2 * MiB);
  expect(lines.filter((line) => line.includes('all that it may'))).toHaveLength(1);

  const { store: empty } = bucket({});
  const tiny = async () => {
    for (let at = 0; ; at++) await quotas.admit('results', `a/${at}`, empty, 0);
  };
  await expect(tiny()).rejects.toMatchObject({ status: 507 });
});
