import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Claim } from '../../../../../src/bot/state/claim/claim.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import { type Instance, signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const limits = { maxBytes: 1e9, maxFileBytes: undefined };

/** What a daemon that starts again does: all it has is what the supervisor remembers. */
function reopen(bot: TestBot, { claim, report, dir }: Instance) {
  const remembered: Claim = { ...claim, tree: report.tree };
  return openPublisher(bot.context(), remembered, { dir, limits, keep: 5, freezer: undefined });
}

/** All that a bot can do to what is ours in its state. */
const mischief: [string, (reserved: string) => void][] = [
  ['gone', (reserved) => rmSync(reserved, { recursive: true })],
  ['without its marker', (reserved) => rmSync(join(reserved, 'marker'))],
  ['of nonsense', (reserved) => writeFileSync(join(reserved, 'marker'), 'nonsense')],
  ['of a restore that never ended', (reserved) => forge(reserved, { complete: false })],
  ["of another bot's", (reserved) => forge(reserved, { bot: 'another' })],
  ['of an older generation', (reserved) => forge(reserved, { generation: 0 })],
  ['of files that are long known', (reserved) => forge(reserved, { restoredAt: 1e18 / 1000 })],
  [
    'a file',
    (reserved) => {
      rmSync(reserved, { recursive: true });
      writeFileSync(reserved, '');
    },
  ],
  [
    'a link',
    (reserved) => {
      renameSync(reserved, `${reserved}-elsewhere`);
      symlinkSync(`${reserved}-elsewhere`, reserved);
    },
  ],
  [
    'with a pipe for a marker',
    (reserved) => {
      rmSync(join(reserved, 'marker'));
      execFileSync('mkfifo', [join(reserved, 'marker')]);
    },
  ],
  [
    'with a socket for a marker',
    (reserved) => {
      rmSync(join(reserved, 'marker'));
      const bind = `import socket; socket.socket(socket.AF_UNIX).bind('marker')`;
      execFileSync('/usr/bin/python3', ['-c', bind], { cwd: reserved });
    },
  ],
  ['with a marker without end', (reserved) => truncateSync(join(reserved, 'marker'), 2 ** 40)],
  [
    'full of folders',
    (reserved) => {
      rmSync(join(reserved, 'marker'));
      for (const name of ['marker', 'marker.new'])
        mkdirSync(join(reserved, name, 'in/the/way'), { recursive: true });
    },
  ],
];

function forge(reserved: string, lie: object): void {
  const path = join(reserved, 'marker');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...lie }));
}

test.each(mischief)(
  'our folder is %s: a daemon that starts again goes on saving, and puts it right',
  async (_, make) => {
    await using bot = await TestBot.open();
    const first = await bot.start('a');
    writeFileSync(join(first.dir, 'x'), 'saved');
    await first.publisher.publish({ signal });
    const reserved = join(first.dir, '.runtime-sync');
    const honest = readFileSync(join(reserved, 'marker'), 'utf8');
    make(reserved);
    writeFileSync(join(first.dir, 'x'), 'newer');
    const publisher = reopen(bot, first);
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
    publisher.close();
    expect(JSON.parse(readFileSync(join(reserved, 'marker'), 'utf8'))).toEqual(JSON.parse(honest));
    expect(statSync(reserved).isDirectory()).toBe(true);
    // A container that starts again knows its newer state for its own.
    writeFileSync(join(first.dir, 'x'), 'newest');
    const again = await bot.start('a');
    expect(again.report.kept).toBe(true);
    expect(readFileSync(join(again.dir, 'x'), 'utf8')).toBe('newest');
  },
);

test.each(mischief)(
  'our folder is %s when nothing else has changed: the next look puts it right',
  async (_, make) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'saved');
    await publisher.publish({ signal });
    const before = readFileSync(join(dir, '.runtime-sync/marker'), 'utf8');
    make(join(dir, '.runtime-sync'));
    await publisher.publish({ signal });
    await publisher.checkGeneration({ signal });
    expect(JSON.parse(readFileSync(join(dir, '.runtime-sync/marker'), 'utf8'))).toEqual(JSON.parse(before));
  },
);

test.each(mischief)(
  'our folder is %s at a start: what is saved is there, and nothing else',
  async (_, make) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'saved');
    await publisher.publish({ signal });
    make(join(dir, '.runtime-sync'));
    const { report } = await bot.start('a');
    expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('saved');
    expect(report.sequence).toBe(1);
    expect(readdirSync(join(dir, '.runtime-sync'))).toEqual(['marker']);
  },
);

test("the marker of a later instance on the same volume is nobody's to put right", async () => {
  await using bot = await TestBot.open();
  const older = await bot.start('a');
  await bot.start('a');
  const later = readFileSync(join(older.dir, '.runtime-sync/marker'), 'utf8');
  await expect(older.publisher.checkGeneration({ signal })).rejects.toMatchObject({ code: 'fenced' });
  expect(readFileSync(join(older.dir, '.runtime-sync/marker'), 'utf8')).toBe(later);
});

test('memory alone is no proof: another directory in the place of the restored one is refused', async () => {
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
  rmSync(join(first.dir, '.runtime-sync'), { recursive: true });
  const publisher = reopen(bot, first);
  await publisher.publish({ signal });
  publisher.close();
  expect(treeOf((await bot.start('b')).dir)).toEqual(saved);
});
