import { expect, test } from 'vitest';
import type { NewSandbox } from '../../../../../src/host/sandboxes/sandboxes.ts';
import { openUsage } from '../../../../../src/protocol/tangle/usage/openUsage.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';

const MINUTE = 60_000;
const never = new AbortController().signal;

test('the time in which sandboxes run is counted, over restarts and ends of months, for each owner alone', async () => {
  const folder = await temporaryDirectory();
  const sandboxes = modelSandboxes();
  let now = Date.parse('2026-11-30T23:00:00Z');
  const open = () => openUsage({ sandboxes, folder, now: () => now, signal: never });
  let usage = open();
  const { id } = await sandboxes.create({ owner: 'a' } as NewSandbox);
  sandboxes.set(id, { status: 'running', startedAt: now });
  now += 10 * MINUTE;
  expect(usage.of('a')).toMatchObject({ computeMinutes: 10, activeSandboxes: 1, totalSandboxes: 1 });
  expect(usage.of('b')).toMatchObject({ computeMinutes: 0, activeSandboxes: 0, totalSandboxes: 0 });
  sandboxes.set(id, { status: 'stopped' });
  now += 5 * MINUTE;
  expect(usage.of('a').computeMinutes).toBe(10);
  sandboxes.set(id, { status: 'running', startedAt: now });
  now += 5 * MINUTE;
  // It runs on while the server is away.
  usage = open();
  now += 5 * MINUTE;
  expect(usage.of('a').computeMinutes).toBe(20);
  // One that has ended meanwhile counts until it was last used.
  const used = now;
  now += 5 * MINUTE;
  sandboxes.set(id, { status: 'running', startedAt: used - 10 * MINUTE, lastActivityAt: used });
  const elsewhere = modelSandboxes();
  usage = openUsage({
    sandboxes: { ...elsewhere, find: () => ({ ...sandboxes.find(id)!, status: 'stopped' }) },
    folder,
    now: () => now,
    signal: never,
  });
  expect(usage.of('a').computeMinutes).toBe(20);
  sandboxes.set(id, { status: 'running', startedAt: now });
  usage = open();
  now = Date.parse('2026-12-01T00:30:00Z');
  expect(usage.of('a')).toEqual({
    computeMinutes: 30,
    activeSandboxes: 1,
    totalSandboxes: 1,
    periodStart: '2026-12-01T00:00:00.000Z',
    periodEnd: '2027-01-01T00:00:00.000Z',
  });
});

test('a server that has ended writes nothing any more', async () => {
  const folder = await temporaryDirectory();
  const sandboxes = modelSandboxes();
  const end = new AbortController();
  const usage = openUsage({ sandboxes, folder, now: () => 1000, signal: end.signal });
  const { id } = await sandboxes.create({ owner: 'a' } as NewSandbox);
  sandboxes.set(id, { status: 'running', startedAt: 0 });
  expect(usage.of('a').activeSandboxes).toBe(1);
  end.abort();
  await new Promise((resolve) => setImmediate(resolve));
  sandboxes.set(id, { status: 'stopped' });
  expect(usage.of('a').activeSandboxes).toBe(1);
});
