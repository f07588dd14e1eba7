import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claim } from '../../../../../src/bot/state/claim/claim.ts';
import { encodeHead, parseHead } from '../../../../../src/bot/state/format/head.ts';
import { encodeManifest, parseManifest } from '../../../../../src/bot/state/format/manifest.ts';
import { verify } from '../../../../../src/bot/state/history/verify.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const damaged = expect.objectContaining({ name: 'RuntimeError', code: 'damaged' });

/** Two snapshots; `good` is the tree of the first. */
async function history(size: number): Promise<{ bot: TestBot; good: string[]; newest: string[] }> {
  const bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'data'), Buffer.alloc(size, 'first'));
  writeFileSync(join(dir, 'other'), 'unchanged');
  await publisher.publish({ signal });
  const good = treeOf(dir);
  writeFileSync(join(dir, 'data'), Buffer.alloc(size, 'second'));
  await publisher.publish({ signal });
  return { bot, good, newest: treeOf(dir) };
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

const objects = (bot: TestBot, folder: string) =>
  readdirSync(bot.object(folder)).map((name) => `${folder}/${name}`);

test('a flipped bit anywhere in the head is found, and the bot does not start', async () => {
  const { bot } = await history(100);
  await using _ = bot;
  const path = bot.object('head');
  const original = readFileSync(path);
  for (let at = 0; at < original.length; at += 7) {
    flipBit(path, at);
    await expect(bot.start('b')).rejects.toEqual(damaged);
    await expect(verify(bot.context(), { signal })).rejects.toEqual(damaged);
    writeFileSync(path, original);
  }
  truncateSync(path, original.length - 1);
  await expect(bot.start('b')).rejects.toEqual(damaged);
});

test("another bot's head, or one of a newer format, is refused", async () => {
  const { bot } = await history(100);
  await using _ = bot;
  const context = { ...bot.context(), bot: 'bot-2' };
  await bot.store.put('bot-2/head', readFileSync(bot.object('head')));
  await expect(claim(context, { holder: 'h', signal })).rejects.toMatchObject({
    code: 'damaged',
    message: /belongs to/,
  });
  await bot.store.put('bot-2/head', Buffer.from('{"format":2}'));
  await expect(claim(context, { holder: 'h', signal })).rejects.toMatchObject({
    code: 'damaged',
    message: /format 2/,
  });
});

test.each(['manifests', 'packs'])(
  'each damaged object in %s is named, and what verifies is restored',
  async (folder) => {
    const { bot, good, newest } = await history(200_000);
    await using _ = bot;
    let fallbacks = 0;
    for (const key of objects(bot, folder)) {
      const path = bot.object(key);
      const original = readFileSync(path);
      for (const damage of [
        () => flipBit(path, original.length >> 1),
        () => truncateSync(path, original.length >> 1),
        () => rmSync(path),
      ]) {
        damage();
        const { problems } = await verify(bot.context(), { signal });
        expect(problems.map((problem) => problem.key)).toContain(`${bot.name}/${key}`);
        const start = bot.start(`restored-${key.replace('/', '-')}-${fallbacks}`);
        const [outcome] = await Promise.allSettled([start]);
        if (outcome.status === 'rejected') expect(outcome.reason).toEqual(damaged);
        else {
          const { dir, report } = outcome.value;
          expect([good, newest]).toContainEqual(treeOf(dir));
          if (report.fellBackTo !== undefined) {
            fallbacks += 1;
            expect(report).toMatchObject({ fellBackTo: 1, sequence: 1 });
            expect(treeOf(dir)).toEqual(good);
          }
        }
        writeFileSync(path, original);
      }
    }
    expect(fallbacks).toBeGreaterThan(0);
    expect(bot.warnings.join()).toMatch(/snapshot 2 is damaged/);
  },
);

test('after falling back, the next publish does not build on what is damaged', async () => {
  const { bot, good } = await history(200_000);
  await using _ = bot;
  // What the first snapshot needs stays; every other pack goes.
  for (const key of objects(bot, 'packs')) {
    const path = bot.object(key);
    const bytes = readFileSync(path);
    rmSync(path);
    const { problems } = await verify(bot.context(), { signal });
    if (problems.some((problem) => problem.key.endsWith(key) && problem.snapshots.includes(1))) {
      writeFileSync(path, bytes);
    }
  }
  const { dir, publisher, report } = await bot.start('b');
  expect(report.fellBackTo).toBe(1);
  expect(treeOf(dir)).toEqual(good);
  writeFileSync(join(dir, 'data'), Buffer.alloc(200_000, 'second'));
  await publisher.publish({ signal });
  const problems = (await verify(bot.context(), { signal })).problems.filter((p) => p.snapshots.includes(3));
  expect(problems).toEqual([]);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(dir));
});

test('a manifest of another bot is refused', async () => {
  const { bot, good } = await history(200_000);
  await using _ = bot;
  const other = { ...bot.context(), bot: 'bot-2' };
  const newest = readdirSync(bot.object('manifests')).find((name) => name.startsWith('2-'))!;
  const manifest = parseManifest(newest, readFileSync(bot.object(`manifests/${newest}`)), bot.name);
  const foreign = await encodeManifest({ ...manifest, bot: other.bot });
  expect(() => parseManifest(foreign.name, foreign.body, bot.name)).toThrow(/belongs to the bot/);
  writeFileSync(bot.object(`manifests/${newest}`), foreign.body);
  expect(treeOf((await bot.start('b')).dir)).toEqual(good);
});

test('a damaged snapshot inside the head does not keep newer ones from being saved', async () => {
  await using bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a');
  const publish = async (by = publisher, to = dir) => {
    writeFileSync(join(to, 'x'), randomBytes(45_000));
    return await by.publish({ signal });
  };
  await publish();
  await publish();
  const head = parseHead(readFileSync(bot.object('head'), 'utf8'), bot.name);
  const [, newer] = Object.entries(head.blobs);
  await bot.store.put(`${bot.name}/head`, encodeHead({ ...head, blobs: Object.fromEntries([newer!]) }));
  const other = await bot.start('b');
  for (let sequence = 3; sequence <= 6; sequence++)
    expect(await publish(other.publisher, other.dir)).toMatchObject({ sequence });
  expect(bot.warnings).toEqual([expect.stringContaining('snapshot 1 is damaged')]);
  expect((await verify(bot.context(), { signal })).problems).toEqual([]);
  expect(treeOf((await bot.start('c')).dir)).toEqual(treeOf(other.dir));
});
