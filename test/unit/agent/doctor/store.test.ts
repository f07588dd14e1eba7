import { expect, test } from 'vitest';
import type { Patient } from '../../../../src/agent/doctor/check.ts';
import { store } from '../../../../src/agent/doctor/store.ts';
import { readConfig } from '../../../../src/bot/config/readConfig.ts';
import { builtInKinds } from '../../../../src/bot/kinds/builtIn.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { collect } from '../../../support/collect.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

async function patient(change: (inner: ObjectStore) => ObjectStore, ourLead = 0) {
  const dir = await temporaryDirectory();
  const env = { BOT_ID: 'b', RUNTIME: 'command', ENTRYPOINT: 'true', STORE_URL: `file://${dir}/store` };
  const config = await readConfig(env, { role: 'execute', knownKinds: builtInKinds, uid: 1, isTTY: false });
  const opened: ObjectStore[] = [];
  const stores = {
    open: async (bucket: string) => {
      const inner = openFileStore(`${dir}/store`, bucket);
      opened.push(inner);
      return change(inner);
    },
    close: async () => {},
  };
  const subject: Patient = {
    config,
    kind: builtInKinds[0]!,
    env,
    stores,
    uid: 1,
    inPlace: false,
    now: () => Date.now() + ourLead,
  };
  return { findings: await store.run(subject), opened };
}

const statusOf = (findings: Awaited<ReturnType<typeof patient>>['findings']) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));

test('a good store, and nothing is left in it', async () => {
  const { findings, opened } = await patient((inner) => inner);
  expect(new Set(Object.values(statusOf(findings)))).toEqual(new Set(['ok']));
  for (const bucket of opened) expect(await collect(bucket.list(''))).toEqual([]);
});

test('one that ignores conditions is told from one that honours them', async () => {
  const { findings, opened } = await patient((inner) => ({
    ...inner,
    put: (key, body) => inner.put(key, body),
  }));
  expect(statusOf(findings)).toMatchObject({ 'conditional writes': 'warn', 'bucket state': 'ok' });
  for (const bucket of opened) expect(await collect(bucket.list(''))).toEqual([]);
});

test.each([
  [10_000, 'ok', 'ahead of'],
  [300_000, 'warn', 'ahead of'],
  [-300_000, 'warn', 'behind'],
])('our clock %i ms ahead: %s', async (lead, status, words) => {
  const { findings } = await patient((inner) => inner, lead);
  const clock = findings.find(({ check }) => check === 'clock');
  expect(clock).toMatchObject({ status });
  expect(clock?.message).toContain(words);
});
