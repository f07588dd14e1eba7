import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ModelHost, ownersModel } from '../../../support/host/ownersModel.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const bots = ['u', 'v', 'w', 'x', 'y', 'z'];
/** One seed again: RUNTIME_SEED=7. More of them: RUNTIME_SEEDS=500. */
const { RUNTIME_SEED, RUNTIME_SEEDS = '6' } = process.env;
const seeds =
  RUNTIME_SEED === undefined
    ? Array.from({ length: Number(RUNTIME_SEEDS) }, (_, index) => index + 1)
    : [Number(RUNTIME_SEED)];

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Three hosts, two on one engine, and whatever may happen to them for some hours. The bots that ran twice, and where all run in the end. */
async function chaos(seed: number, knows: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'owners-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const random = randomOf(seed);
  const model = ownersModel({ folder, bots, random, knows });
  const [one, other] = [model.engine('one'), model.engine('other')];
  const [a1, a2, b] = [model.host('a1', one), model.host('a2', one), model.host('b', other)];
  const hosts = [a1, a2, b];
  const twice = new Set<string>();
  const story: string[] = [];
  const watch = () => {
    for (const bot of bots) if (model.where(bot).length > 1) twice.add(bot);
  };
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const pass = (ms: number) => model.pass(ms, watch);
  const acts: Record<string, (host: ModelHost) => Promise<void>> = {
    kill: async (host) => host.kill(),
    end: async (host) => void host.end(),
    start: async (host) => host.start(),
    again: async (host) => host.start(),
    machineLost: async (host) => {
      for (const beside of hosts) if (beside.engine === host.engine) beside.kill();
      host.engine.running.clear();
    },
    suspend: async (host) => {
      host.suspend();
      await pass(random() < 0.5 ? HOUR : 2 * MINUTE);
      host.resume();
    },
    skew: async (host) => host.skew((random() - 0.5) * 12 * HOUR),
    // Shorter than what counts as an outage: in a longer one hosts go on without the store.
    cut: async (host) => {
      host.cut(true);
      await pass(random() * 8_000);
      host.cut(false);
      await pass(40_000);
    },
    drain: async (host) => {
      for (const bot of bots) host.want(bot, false);
    },
    resume: async (host) => {
      for (const bot of bots) host.want(bot, true);
    },
    disable: async (host) => host.want(pick(bots), false),
    enable: async (host) => host.want(pick(bots), true),
    weather: async () => model.weather(pick([0, 100, 4_000]), pick([0, 0.02])),
  };
  for (const host of hosts) if (random() < 0.8) host.start();
  for (let left = 60; left > 0; left -= 1) {
    const [name, host] = [pick(Object.keys(acts)), pick(hosts)];
    story.push(name);
    await acts[name]!(host);
    await pass(random() < 0.3 ? random() * 3_000 : random() * 2 * MINUTE);
  }
  // The storm is over; in every second one the other machine is lost for good, and an operator says so.
  model.weather(0, 0);
  for (const host of hosts) {
    host.resume();
    host.cut(false);
    for (const bot of bots) host.want(bot, true);
    host.start();
  }
  await pass(10 * MINUTE);
  if (seed % 2 === 0) {
    b.kill();
    other.running.clear();
    await pass(6 * MINUTE);
    await model.remove('b', one);
    await pass(10 * MINUTE);
  }
  const where = bots.map((bot) => model.where(bot));
  await model.stop(hosts);
  return { twice: [...twice], where, story };
}

test.each(seeds)(
  'no bot runs on two engines at once, and none is left without a host: seed %i',
  async (seed) => {
    const { twice, where, story } = await chaos(seed, true);
    expect(twice, story.join(' ')).toEqual([]);
    expect(
      where.map((engines) => engines.length),
      story.join(' '),
    ).toEqual(bots.map(() => 1));
    if (seed % 2 === 0) expect(new Set(where.flat())).toEqual(new Set(['one']));
  },
);

test.each([1, 2])('negative control: hosts that do not ask run bots twice: seed %i', async (seed) => {
  const { twice } = await chaos(seed, false);
  expect(twice).not.toEqual([]);
});
