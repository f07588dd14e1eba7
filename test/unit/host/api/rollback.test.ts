import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createHostApi } from '../../../../src/host/api/createHostApi.ts';
import type { HostApi } from '../../../../src/host/api/hostApi.ts';
import { openDirectorySource } from '../../../../src/host/sources/directory.ts';
import type { Source } from '../../../../src/host/sources/source.ts';
import { modelInstances } from '../../../support/host/modelHost.ts';
import { startModelLoop } from '../../../support/host/modelLoop.ts';
import { createModelRollbacks } from '../../../support/host/modelRollbacks.ts';

let folder: string;
let source: Source;
let host: ReturnType<typeof startModelLoop>;
let rollbacks: ReturnType<typeof createModelRollbacks>;
let api: HostApi;
let stop: AbortController;
let listing: Promise<void>;
let ends: NodeJS.Timeout;

const write = (variant: string) =>
  writeFileSync(
    join(folder, 'b.yaml'),
    `name: b\ntype: realtime\nruntime: python3.11\ncode: {file: b.zip}\nentrypoints: {bot: main.py}\nenv: {VARIANT: ${variant}}\n`,
  );
const until = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const runs = () =>
  [...host.model.instances.values()]
    .filter(({ state }) => state === 'running')
    .map(({ spec }) => JSON.parse(spec.hash).env.VARIANT);
const untilRuns = (variant: string) => until(() => expect(runs()).toEqual([variant]));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'api-'));
  stop = new AbortController();
  source = openDirectorySource({
    path: folder,
    clock: systemClock,
    code: () => Promise.reject(new Error('no code in a folder here')),
  });
  rollbacks = createModelRollbacks({
    saved: ['first', 'second'],
    want: async (spec) => {
      const { writeSpec } = await import('../../../../src/host/bots/writeSpec.ts');
      await source.writer!.apply(writeSpec(spec));
    },
  });
  host = startModelLoop({ rollbacks });
  const { loop, model, events } = host;
  api = createHostApi({
    loop,
    engine: model.engine,
    instances: modelInstances(),
    rollbacks,
    source,
    journal: {
      write: (event) => void events.push({ ...event, id: events.length + 1, at: Date.now() }),
      read: async () => events,
      subscribe: () => () => undefined,
    },
    version: 'test',
    startedAt: Date.now(),
    now: Date.now,
    keepDraining: () => undefined,
    makeToken: () => 'token',
  });
  // Bots end when they are asked to.
  ends = setInterval(() => {
    for (const one of model.instances.values()) if (one.asked) model.end(one.name, 143);
  }, 20);
});

afterEach(async () => {
  clearInterval(ends);
  stop.abort();
  await listing;
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function twoSpecifications() {
  write('one');
  listing = source.run(host.loop.observer, stop.signal);
  await untilRuns('one');
  await expect(api.rollback('b', undefined)).rejects.toMatchObject({ code: 'refused' });
  write('two');
  await untilRuns('two');
}

test('a rollback writes the specification before to the source, and it runs', async () => {
  await twoSpecifications();
  await api.rollback('b', undefined);
  await untilRuns('one');
  expect(rollbacks.published).toEqual([]);
  // What was rolled back is the one before now.
  await api.rollback('b', undefined);
  await untilRuns('two');
});

test('with a sequence also that snapshot, before the bot is started again', async () => {
  await twoSpecifications();
  const lives = host.model.lives.length;
  await api.rollback('b', 1);
  await untilRuns('one');
  expect(rollbacks.saved).toEqual(['first', 'second', 'first']);
  // Started once, with both: never the old state under the new specification.
  expect(host.model.lives.length).toBe(lives + 1);
  expect(host.events.map(({ type }) => type)).toContain('rolled-back');
});

test('of a bot that has only ever been what it is, a sequence brings the state back', async () => {
  write('one');
  listing = source.run(host.loop.observer, stop.signal);
  await untilRuns('one');
  await api.rollback('b', 1);
  await until(() => expect(host.model.lives.length).toBe(2));
  await untilRuns('one');
  expect(rollbacks.saved).toEqual(['first', 'second', 'first']);
});

test('a sequence that is not there is refused, and one that goes meanwhile is given up: the bot goes on', async () => {
  await twoSpecifications();
  await expect(api.rollback('b', 9)).rejects.toMatchObject({ code: 'not-found' });
  expect(host.model.lives.length).toBe(2);
  const saved = rollbacks.saved.splice(1);
  await expect(api.rollback('b', 2)).rejects.toMatchObject({ code: 'not-found' });
  rollbacks.saved.push(...saved);
  await api.rollback('b', 2);
  rollbacks.saved.splice(1);
  await until(() => expect(host.events.map(({ message }) => message).join()).toContain('not rolled back'));
  await untilRuns('two');
});
