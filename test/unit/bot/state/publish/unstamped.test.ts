import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statfsSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../../../src/base/clock.ts';
import { Tree } from '../../../../../src/bot/state/format/tree.ts';
import { scan } from '../../../../../src/bot/state/local/scan.ts';
import { openRoot } from '../../../../../src/bot/state/local/treeRoot.ts';
import { suspects } from '../../../../../src/bot/state/publish/findUnstamped.ts';
import { openPublisher } from '../../../../../src/bot/state/publish/openPublisher.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { signal, TestBot } from '../support/bot.ts';

const TMPFS = 0x01021994;
const isTmpfs = (path: string) => existsSync(path) && statfsSync(path).type === TMPFS;
/** There a write through a mapping never stamps a file. Elsewhere it may: then the stamp shows it, and the same must come out. */
const shared = isTmpfs('/dev/shm') ? '/dev/shm' : tmpdir();

const openShared = () => TestBot.open(undefined, 'bot-1', shared);

/** Puts `byte` at the beginning of a file, without a call of write(2). */
function writeMapped(file: string, byte: string): void {
  const program = [
    'import mmap, sys',
    'with open(sys.argv[1], "r+b") as f, mmap.mmap(f.fileno(), 0) as m:',
    '    before = m[0]  # a page that has been read is writable at once',
    '    m[0] = ord(sys.argv[2])',
  ];
  execFileSync('python3', ['-c', program.join('\n'), file, byte]);
}

test('what a bot has written through a memory mapping is saved at its end, though no time stamp shows it', async () => {
  await using bot = await openShared();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'before'), 'x');
  writeFileSync(join(dir, 'mapped'), Buffer.alloc(3 << 20, 'a'));
  await publisher.publish({ signal });
  writeMapped(join(dir, 'mapped'), 'b');
  expect(await publisher.publish({ signal, still: true })).toMatchObject({ sequence: 2, files: 2 });
  expect(readFileSync(join((await bot.start('b')).dir, 'mapped'), 'latin1').slice(0, 2)).toBe('ba');
  expect(await publisher.publish({ signal, complete: true })).toBeUndefined();
});

test('the same in a file that was restored, by a bot that ends at once', async () => {
  await using bot = await openShared();
  const first = await bot.start('a');
  writeFileSync(join(first.dir, 'mapped'), 'aaaa');
  await first.publisher.publish({ signal });
  const { dir, publisher } = await bot.start('b');
  writeMapped(join(dir, 'mapped'), 'b');
  expect(await publisher.publish({ signal, still: true })).toMatchObject({ sequence: 2 });
  expect(readFileSync(join((await bot.start('c')).dir, 'mapped'), 'utf8')).toBe('baaa');
});

test('while the bot runs, it is looked for every 30 s', async () => {
  await using bot = await openShared();
  const { dir, claim } = await bot.start('a');
  let later = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + later };
  const options = { dir, limits: { maxBytes: 1e12, maxFileBytes: undefined }, keep: 5, freezer: undefined };
  const publisher = openPublisher({ ...bot.context(), clock }, claim, options);
  writeFileSync(join(dir, 'mapped'), 'aaaa');
  await publisher.publish({ signal });
  later = 31_000;
  await publisher.publish({ signal });
  writeMapped(join(dir, 'mapped'), 'b');
  later = 62_000;
  expect(await publisher.publish({ signal })).toMatchObject({ sequence: 2 });
  publisher.close();
});

test('on a disk only files are suspected that were written to after the restore, and a minute before the last look', async () => {
  const dir = await temporaryDirectory();
  for (const name of ['empty', 'file']) writeFileSync(join(dir, name), name === 'file' ? 'x' : '');
  utimesSync(join(dir, 'file'), 1, 1);
  const root = openRoot(dir);
  const { tree } = scan(root, new Tree(), { restoredAt: 0 });
  const ctime = tree.ctime(tree.paths.indexOf('file' as never));
  const found = (restoredAt: number, lookedAt: number) => [
    ...suspects(root, tree, { restoredAt, lookedAt }).keys(),
  ];
  const inMemory = isTmpfs(dir) ? ['file'] : [];
  expect(found(0, ctime / 1000 + 59_000)).toEqual(['file']);
  expect(found(0, ctime / 1000 + 61_000)).toEqual(inMemory);
  expect(found(ctime + 1, ctime / 1000)).toEqual(inMemory);
});
