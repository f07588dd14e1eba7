import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fromText } from '../../../../../src/bot/state/format/entryPath.ts';
import { removeTree } from '../../../../../src/bot/state/local/removeTree.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { asUser, isRoot } from '../../../../support/process/asUser.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** A bot with a state that takes packs, so that the store is read while a tree is being built. */
async function botWithPacks(): Promise<{ bot: TestBot; saved: string[] }> {
  const bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder/inner'), { recursive: true });
  writeFileSync(join(dir, 'folder/inner/large'), Buffer.alloc(200_000, 'large'));
  writeFileSync(join(dir, 'small'), 'small');
  await publisher.publish({ signal });
  return { bot, saved: treeOf(dir) };
}

/** What a bot in another container of the pod does while its state is restored: `act` is called at every read of a pack. */
function meanwhile(store: ObjectStore, act: () => void): ObjectStore {
  return {
    ...store,
    get: (key, options) => {
      if (key.includes('/packs/')) act();
      return store.get(key, options);
    },
  };
}

test('the bot puts a link in the place of our folder while a tree is built: nothing is written elsewhere', async () => {
  const { bot, saved } = await botWithPacks();
  await using _ = bot;
  const elsewhere = bot.dir('elsewhere');
  mkdirSync(join(elsewhere, 'incoming/folder/inner'), { recursive: true });
  const before = treeOf(elsewhere);
  const reserved = bot.dir('b/.runtime-sync');
  const moved = bot.dir('b/moved');
  const store = meanwhile(bot.store, () => {
    if (existsSync(moved) || !existsSync(join(reserved, 'incoming'))) return;
    renameSync(reserved, moved);
    symlinkSync(elsewhere, reserved);
  });
  // It has moved what was being built to where everything is replaced.
  await expect(bot.start('b', { store })).rejects.toMatchObject({ code: 'unavailable' });
  expect(existsSync(join(elsewhere, 'marker'))).toBe(false);
  expect(treeOf(elsewhere)).toEqual(before);
  await bot.start('b');
  expect(treeOf(bot.dir('b'))).toEqual(saved);
  expect(statSync(reserved).isFile()).toBe(true);
});

test.runIf(isRoot)(
  'a folder of ours that the bot has made becomes ours: nobody else may write where a tree is built',
  async () => {
    const { bot } = await botWithPacks();
    await using _ = bot;
    const reserved = bot.dir('b/.runtime-sync');
    mkdirSync(reserved, { recursive: true });
    chownSync(reserved, 1000, 1000);
    chmodSync(reserved, 0o777);
    let seen: ReturnType<typeof statSync> | undefined;
    const store = meanwhile(bot.store, () => {
      if (existsSync(join(reserved, 'incoming'))) seen = statSync(reserved);
    });
    await bot.start('b', { store });
    expect(seen).toMatchObject({ uid: 0 });
    expect(Number(seen!.mode) & 0o777).toBe(0o700);
  },
);

const asWeAre = (_: string, run: () => Promise<void>) => run();

test.each<[string, typeof asUser]>([
  ['as we are', asWeAre],
  ['as an ordinary user', isRoot ? asUser : asWeAre],
])('a tree is removed with closed folders in it, and nothing that its links point to (%s)', async (_, as) => {
  const dir = await temporaryDirectory();
  await as(dir, async () => {
    mkdirSync(join(dir, 'kept/inner'), { recursive: true });
    writeFileSync(join(dir, 'kept/file'), 'kept');
    mkdirSync(join(dir, 'tree/closed/deeper'), { recursive: true });
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/tree/closed/deeper/`), Buffer.from([0xff])]), '');
    symlinkSync(join(dir, 'kept'), join(dir, 'tree/closed/link'));
    chmodSync(join(dir, 'tree/closed/deeper'), 0o111);
    chmodSync(join(dir, 'tree/closed'), 0);
    symlinkSync('kept', join(dir, 'link'));
    removeTree(fromText(join(dir, 'tree')));
    removeTree(fromText(join(dir, 'link')));
    removeTree(fromText(join(dir, 'absent')));
    expect(readdirSync(dir)).toEqual(['kept']);
    expect(readFileSync(join(dir, 'kept/file'), 'utf8')).toBe('kept');
  });
});
