import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forkState } from '../../../../../src/bot/state/history/forkState.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { readHead } from '../../../../../src/bot/state/read/readHead.ts';
import { signal, TestBot } from '../support/bot.ts';
import { DyingStore } from '../support/dyingStore.ts';
import { treeOf } from '../support/treeOf.ts';

/** Two snapshots, and what each of them was; and a bot in the same store that is not there yet. */
async function original(bytes: number) {
  const bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const trees = [];
  for (const name of ['one', 'two']) {
    mkdirSync(join(dir, `in-${name}`));
    writeFileSync(join(dir, `in-${name}`, name), randomBytes(bytes));
    await publisher.publish({ signal });
    trees.push(treeOf(dir));
  }
  const fork = await TestBot.open(() => bot.store, 'bot-2');
  const close = async () => {
    await fork[Symbol.asyncDispose]();
    await bot[Symbol.asyncDispose]();
  };
  return { bot, trees, dir, publisher, fork, [Symbol.asyncDispose]: close };
}

for (const [where, bytes] of [
  ['in packs', 300_000],
  ['in the head', 100],
] as const) {
  test(`a bot begins with a snapshot ${where} of another, which goes on as it was`, async () => {
    await using made = await original(bytes);
    const { bot, fork, trees, dir, publisher } = made;
    const from = { from: bot.name, signal };
    expect(await forkState(fork.context(), { ...from, sequence: 1 })).toEqual({ sequence: 1 });
    expect((await verify(fork.context(), { signal })).problems).toEqual([]);
    // Of the two neither has anything of the other's any more.
    writeFileSync(join(dir, 'three'), 'x');
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 3 });
    rmSync(bot.object('.'), { recursive: true });
    const { publisher: own, dir: forked } = await fork.start('b');
    expect(treeOf(forked)).toEqual(trees[0]);
    writeFileSync(join(forked, 'own'), 'y');
    expect(await own.publish({ signal })).toMatchObject({ sequence: 2 });
    expect((await verify(fork.context(), { signal })).problems).toEqual([]);
  });

  test(`a store that dies anywhere while it forks what is ${where}: the next call ends it`, async () => {
    let calls = 0;
    {
      await using made = await original(bytes);
      const counting = new DyingStore(made.bot.store, Number.POSITIVE_INFINITY, 'before');
      await forkState(made.fork.context(counting.store), {
        from: made.bot.name,
        sequence: undefined,
        signal,
      });
      calls = counting.calls;
    }
    expect(calls).toBeGreaterThan(2);
    for (let at = 1; at <= calls; at += 1) {
      for (const when of ['before', 'after'] as const) {
        await using made = await original(bytes);
        const { store } = new DyingStore(made.bot.store, at, when);
        const options = { from: made.bot.name, sequence: undefined, signal };
        await forkState(made.fork.context(store), options).catch(() => undefined);
        await forkState(made.fork.context(), options);
        const { dir } = await made.fork.start('b');
        expect(treeOf(dir), `${when} ${at}`).toEqual(made.trees[1]);
      }
    }
  });
}

test('a bot that has a state keeps it', async () => {
  await using made = await original(100);
  const { dir, publisher } = await made.fork.start('b');
  writeFileSync(join(dir, 'mine'), 'x');
  await publisher.publish({ signal });
  const before = await readHead(made.fork.context(), signal);
  await forkState(made.fork.context(), { from: made.bot.name, sequence: undefined, signal });
  expect(await readHead(made.fork.context(), signal)).toEqual(before);
});

test('what has no snapshot gives none; a snapshot that is not there, or not whole, is an error', async () => {
  await using made = await original(300_000);
  const { bot, fork } = made;
  const options = { sequence: undefined, signal };
  expect(await forkState(fork.context(), { ...options, from: 'nobody' })).toEqual({ sequence: 0 });
  expect(await readHead(fork.context(), signal)).toBeUndefined();
  const gone = forkState(fork.context(), { ...options, from: bot.name, sequence: 9 });
  await expect(gone).rejects.toMatchObject({ code: 'not-found' });
  rmSync(bot.object('packs'), { recursive: true });
  const broken = forkState(fork.context(), { ...options, from: bot.name });
  await expect(broken).rejects.toMatchObject({ code: 'damaged' });
  expect(await readHead(fork.context(), signal)).toBeUndefined();
});
