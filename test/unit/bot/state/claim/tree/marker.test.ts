import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Claim } from '../../../../../../src/bot/state/claim/claim.ts';
import { openPublisher } from '../../../../../../src/bot/state/publish/openPublisher.ts';
import { type Instance, signal, TestBot } from '../../support/bot.ts';
import { DyingStore } from '../../support/dyingStore.ts';
import { treeOf } from '../../support/treeOf.ts';

const limits = { maxBytes: 1e9, maxFileBytes: undefined };

/** What a daemon that starts again does: all it has is what the supervisor remembers. */
function reopen(bot: TestBot, { claim, report, dir }: Instance, store = bot.store) {
  const remembered: Claim = { ...claim, tree: report.tree };
  return openPublisher({ ...bot.context(), store }, remembered, { dir, limits, keep: 5, freezer: undefined });
}

/** All that a bot can do to what is ours in its state. */
const mischief: [string, (marker: string) => void][] = [
  ['gone', (marker) => rmSync(marker)],
  ['empty', (marker) => writeFileSync(marker, '')],
  ['nonsense', (marker) => writeFileSync(marker, 'nonsense')],
  ['of a restore that never ended', (marker) => forge(marker, { complete: false })],
  ["another bot's", (marker) => forge(marker, { bot: 'another' })],
  ['of an older generation', (marker) => forge(marker, { generation: 0 })],
  ['of files that are long known', (marker) => forge(marker, { restoredAt: 1e18 / 1000 })],
  [
    'a link',
    (marker) => {
      renameSync(marker, `${marker}-elsewhere`);
      symlinkSync(`${marker}-elsewhere`, marker);
    },
  ],
  [
    "a name of the bot's own file",
    (marker) => {
      rmSync(marker);
      linkSync(join(marker, '../x'), marker);
    },
  ],
  [
    'a pipe',
    (marker) => {
      rmSync(marker);
      execFileSync('mkfifo', [marker]);
    },
  ],
  [
    'a socket',
    (marker) => {
      rmSync(marker);
      const bind = `import socket; socket.socket(socket.AF_UNIX).bind('.runtime-sync')`;
      execFileSync('/usr/bin/python3', ['-c', bind], { cwd: join(marker, '..') });
    },
  ],
  ['without end', (marker) => truncateSync(marker, 2 ** 40)],
  [
    'a folder full of folders',
    (marker) => {
      rmSync(marker);
      for (const name of ['marker', 'marker.new'])
        mkdirSync(join(marker, name, 'in/the/way'), { recursive: true });
    },
  ],
];

function forge(marker: string, lie: object): void {
  writeFileSync(marker, JSON.stringify({ ...JSON.parse(readFileSync(marker, 'utf8')), ...lie }));
}

test.each(mischief)(
  'the marker is %s: a daemon that starts again goes on saving, and puts it right',
  async (_, make) => {
    await using bot = await TestBot.open();
    const first = await bot.start('a');
    writeFileSync(join(first.dir, 'x'), 'saved');
    await first.publisher.publish({ signal });
    const reserved = join(first.dir, '.runtime-sync');
    const honest = readFileSync(reserved, 'utf8');
    make(reserved);
    writeFileSync(join(first.dir, 'x'), 'newer');
    const publisher = reopen(bot, first);
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
    publisher.close();
    expect(JSON.parse(readFileSync(reserved, 'utf8'))).toEqual(JSON.parse(honest));
    expect(lstatSync(reserved).isFile()).toBe(true);
    // A container that starts again knows its newer state for its own.
    writeFileSync(join(first.dir, 'x'), 'newest');
    const again = await bot.start('a');
    expect(again.report.kept).toBe(true);
    expect(readFileSync(join(again.dir, 'x'), 'utf8')).toBe('newest');
  },
);

test.each(mischief)(
  'the marker is %s when nothing else has changed: the next look puts it right',
  async (_, make) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'saved');
    await publisher.publish({ signal });
    const before = readFileSync(join(dir, '.runtime-sync'), 'utf8');
    make(join(dir, '.runtime-sync'));
    await publisher.publish({ signal });
    await publisher.checkGeneration({ signal });
    expect(JSON.parse(readFileSync(join(dir, '.runtime-sync'), 'utf8'))).toEqual(JSON.parse(before));
  },
);

test.each(mischief)(
  'the marker is %s while the store is away: a restart knows its local state, which is nowhere else',
  async (_, make) => {
    await using bot = await TestBot.open();
    const first = await bot.start('a');
    writeFileSync(join(first.dir, 'x'), 'saved');
    await first.publisher.publish({ signal });
    writeFileSync(join(first.dir, 'x'), 'not saved');
    make(join(first.dir, '.runtime-sync'));
    const away = reopen(bot, first, new DyingStore(bot.store, 1, 'before').store);
    await expect(away.publish({ signal })).rejects.toMatchObject({ code: 'unavailable' });
    const again = await bot.start('a');
    expect(readFileSync(join(again.dir, 'x'), 'utf8')).toBe('not saved');
  },
);

test.each(mischief)(
  'the marker is %s at a start: what is saved is there, and nothing else',
  async (_, make) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'saved');
    await publisher.publish({ signal });
    make(join(dir, '.runtime-sync'));
    const { report } = await bot.start('a');
    expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('saved');
    expect(report.sequence).toBe(1);
    expect(
      readdirSync(dir)
        .filter((name) => !name.endsWith('-elsewhere'))
        .sort(),
    ).toEqual(['.runtime-sync', 'x']);
    expect(lstatSync(join(dir, '.runtime-sync')).isFile()).toBe(true);
  },
);

test("the marker of a later instance on the same volume is nobody's to put right", async () => {
  await using bot = await TestBot.open();
  const older = await bot.start('a');
  await bot.start('a');
  const later = readFileSync(join(older.dir, '.runtime-sync'), 'utf8');
  await expect(older.publisher.checkGeneration({ signal })).rejects.toMatchObject({ code: 'fenced' });
  expect(readFileSync(join(older.dir, '.runtime-sync'), 'utf8')).toBe(later);
});

test('memory alone is not proof: another directory in the place of the restored one is refused', async () => {
  await using bot = await TestBot.open();
  const first = await bot.start('a');
  writeFileSync(join(first.dir, 'x'), 'saved');
  await first.publisher.publish({ signal });
  const saved = treeOf(first.dir);
  renameSync(first.dir, bot.dir('aside'));
  mkdirSync(first.dir);
  expect(() => reopen(bot, first)).toThrow(expect.objectContaining({ code: 'refused' }));
  expect(existsSync(join(first.dir, '.runtime-sync'))).toBe(false);
  // The very directory again, and without a marker: it is known by itself.
  rmSync(first.dir, { recursive: true });
  renameSync(bot.dir('aside'), first.dir);
  rmSync(join(first.dir, '.runtime-sync'));
  const publisher = reopen(bot, first);
  await publisher.publish({ signal });
  publisher.close();
  expect(treeOf((await bot.start('b')).dir)).toEqual(saved);
});

test('the folder of an older runtime is read, and becomes a file', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), 'saved');
  await publisher.publish({ signal });
  const marker = join(dir, '.runtime-sync');
  renameSync(marker, bot.dir('marker'));
  mkdirSync(marker, { mode: 0o700 });
  renameSync(bot.dir('marker'), join(marker, 'marker'));
  writeFileSync(join(dir, 'x'), 'newer');
  const again = await bot.start('a');
  expect(again.report.kept).toBe(true);
  expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('newer');
  expect(lstatSync(marker).isFile()).toBe(true);
});

test.skipIf(process.getuid!() !== 0)(
  'a bot that is another user walks, packs, copies and empties its state',
  async () => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a', { restore: { owner: { uid: 1000, gid: 1000 } } });
    const as = { cwd: dir, uid: 1000, gid: 1000 };
    chmodSync(bot.path, 0o755);
    chownSync(dir, 1000, 1000);
    execFileSync('sh', ['-ec', 'mkdir d; echo 1 > d/x'], as);
    await publisher.publish({ signal });
    const python = `import os, shutil, tempfile
shutil.copytree('.', tempfile.mkdtemp() + '/copy')
for name in os.listdir('.'): shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)`;
    execFileSync(
      'sh',
      ['-ec', 'find . > /dev/null; du -s . > /dev/null; tar -cf - . | tar -t > /dev/null'],
      as,
    );
    execFileSync('/usr/bin/python3', ['-c', python], as);
    expect(readdirSync(dir)).toEqual([]);
  },
);
