import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMount, mountTmpfs } from '../../support/container/mountTmpfs.ts';
import { signal, TestBot } from '../../unit/bot/state/support/bot.ts';
import { treeOf } from '../../unit/bot/state/support/treeOf.ts';

const MiB = 1024 * 1024;

test.runIf(canMount)('a state directory may be a mount point', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder/x'), Buffer.alloc(100_000, 'x'));
  await publisher.publish({ signal });
  using _ = mountTmpfs(bot.dir('b'), 4 * MiB);
  const other = await bot.start('b');
  expect(treeOf(other.dir)).toEqual(treeOf(dir));
  writeFileSync(join(other.dir, 'new'), 'new');
  expect(await other.publisher.publish({ signal })).toMatchObject({ sequence: 2 });
  other.publisher.close();
});

test.runIf(canMount)(
  'a disk that is full while restoring stops the start and leaves what was there',
  async () => {
    await using bot = await TestBot.open();
    using _ = mountTmpfs(bot.dir('small'), MiB);
    const small = await bot.start('small');
    writeFileSync(join(small.dir, 'old'), 'old');
    await small.publisher.publish({ signal });
    small.publisher.close();
    const before = treeOf(small.dir);

    const large = await bot.start('large');
    writeFileSync(join(large.dir, 'large'), Buffer.alloc(3_000_000, 'large'));
    await large.publisher.publish({ signal });

    await expect(bot.start('small')).rejects.toMatchObject({ code: 'unavailable', hint: /disk is full/ });
    expect(treeOf(small.dir)).toEqual(before);
    expect(existsSync(join(small.dir, '.runtime-sync/incoming'))).toBe(false);
  },
);

test.runIf(canMount)(
  'what is mounted inside the state is saved and restored, on a new container and over what lies there',
  async () => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    mkdirSync(join(dir, 'data/deep'), { recursive: true, mode: 0o750 });
    mkdirSync(join(dir, 'cache/closed'), { recursive: true });
    writeFileSync(join(dir, 'data/deep/x'), Buffer.alloc(3 * MiB, 'x'));
    writeFileSync(join(dir, 'data/y'), 'y', { mode: 0o600 });
    writeFileSync(join(dir, 'cache/closed/z'), 'z', { mode: 0o4711 });
    symlinkSync('closed/z', join(dir, 'cache/link'));
    chownSync(join(dir, 'cache/closed/z'), 1000, 1000);
    chmodSync(join(dir, 'cache/closed'), 0o500);
    utimesSync(join(dir, 'cache/closed'), 1e9, 1e9 + 0.123456);
    writeFileSync(join(dir, 'settings'), 'saved', { mode: 0o640 });
    await publisher.publish({ signal });

    const b = bot.dir('b');
    using _cache = mountTmpfs(join(b, 'cache'), 8 * MiB);
    using _deep = mountTmpfs(join(b, 'data/deep'), 8 * MiB);
    writeFileSync(join(b, 'cache/old'), 'goes');
    writeFileSync(bot.dir('elsewhere'), 'of the host');
    writeFileSync(join(b, 'settings'), '');
    execFileSync('mount', ['--bind', bot.dir('elsewhere'), join(b, 'settings')]);
    using _settings = { [Symbol.dispose]: () => void execFileSync('umount', ['-l', join(b, 'settings')]) };
    const other = await bot.start('b');
    expect(treeOf(b)).toEqual(treeOf(dir));
    expect(readFileSync(bot.dir('elsewhere'), 'utf8')).toBe('saved');

    writeFileSync(join(dir, 'cache/new'), 'too late');
    const third = await bot.start('c');
    writeFileSync(join(third.dir, 'data/deep/x'), 'changed');
    await third.publisher.publish({ signal });
    other.publisher.close();
    await bot.start('b');
    expect(treeOf(b)).toEqual(treeOf(third.dir));
  },
);

test.runIf(canMount)('what is mounted read-only inside the state keeps what it holds', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'conf'));
  writeFileSync(join(dir, 'conf/a'), 'saved');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  const conf = join(bot.dir('b'), 'conf');
  using _ = mountTmpfs(conf, MiB);
  writeFileSync(join(conf, 'a'), 'mounted');
  execFileSync('mount', ['-o', 'remount,ro', conf]);
  await bot.start('b');
  expect(readFileSync(join(conf, 'a'), 'utf8')).toBe('mounted');
  expect(readFileSync(join(bot.dir('b'), 'x'), 'utf8')).toBe('x');
});

test.runIf(canMount)('a volume that is unmounted is not an empty state', async () => {
  await using bot = await TestBot.open();
  const volume = mountTmpfs(bot.dir('a'), MiB);
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'x');
  await publisher.publish({ signal });
  volume[Symbol.dispose]();
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
  using _ = mountTmpfs(dir, MiB);
  await expect(publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
  publisher.close();
});

test.runIf(canMount)(
  'a disk that the bot has filled up is saved as it is; that costs the marker and one warning',
  async () => {
    await using bot = await TestBot.open();
    using disk = mountTmpfs(bot.dir('a'), MiB);
    const { dir, publisher } = await bot.start('a');
    rmSync(join(dir, '.runtime-sync'), { recursive: true });
    expect(() => writeFileSync(join(dir, 'full'), Buffer.alloc(2 * MiB))).toThrow('ENOSPC');
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1, files: 1 });
    writeFileSync(join(dir, 'full'), 'x', { flag: 'r+' });
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
    expect(bot.warnings).toEqual([expect.stringContaining('would not recognise its local state')]);
    expect(existsSync(join(dir, '.runtime-sync'))).toBe(false);
    disk.resize(4 * MiB);
    await publisher.checkGeneration({ signal });
    expect(existsSync(join(dir, '.runtime-sync'))).toBe(true);
    publisher.close();
  },
);
