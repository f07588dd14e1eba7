import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signal, TestBot } from './support/bot.ts';
import { treeOf } from './support/treeOf.ts';

const MiB = 1024 * 1024;
const READER = join(import.meta.dirname, '../../../fixtures/state/readState.py');

/** What a reader that knows the documentation only makes of the newest snapshot. */
function readBack(bot: TestBot): string[] {
  const into = bot.dir('second');
  execFileSync('/usr/bin/python3', [READER, bot.object(''), bot.name, into]);
  const tree = treeOf(into);
  rmSync(into, { recursive: true });
  return tree;
}

/** One of each thing that the format has a row for. */
function fill(dir: string): void {
  mkdirSync(join(dir, 'folder/empty'), { recursive: true });
  mkdirSync(join(dir, 'folder.d'));
  writeFileSync(join(dir, 'folder.d/x'), 'comes behind what is in folder');
  writeFileSync(join(dir, 'folder/nothing'), '');
  writeFileSync(join(dir, 'folder/executable ünïcode 🙂\n'), 'x', { mode: 0o4751 });
  writeFileSync(Buffer.from(`${dir}/\xff\xed\xa0\x80\xe2\x82`, 'latin1'), 'no UTF-8');
  writeFileSync(join(dir, 'old'), 'from before 1970');
  utimesSync(join(dir, 'old'), '-86400.25', '-86400.25');
  symlinkSync('../old', join(dir, 'folder/link'));
  chmodSync(join(dir, 'folder/empty'), 0o1500);
}

test('a small state can be read by the documentation alone', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  fill(dir);
  await publisher.publish({ signal });
  expect(readBack(bot)).toEqual(treeOf(dir));
});

test('a state in packs can be read by the documentation alone, after changes as well', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  fill(dir);
  writeFileSync(join(dir, 'dense'), randomBytes(2 * MiB + 5));
  writeFileSync(join(dir, 'text'), 'some text '.repeat(300_000));
  for (let i = 0; i < 500; i++) writeFileSync(join(dir, `folder/small-${i}`), `${i} `.repeat(i));
  const sparse = openSync(join(dir, 'sparse'), 'w');
  ftruncateSync(sparse, 90 * MiB + 1);
  writeSync(sparse, 'middle', 44 * MiB);
  closeSync(sparse);
  await publisher.publish({ signal });
  expect(readBack(bot)).toEqual(treeOf(dir));

  appendFileSync(join(dir, 'text'), 'more');
  rmSync(join(dir, 'folder/small-7'));
  await publisher.publish({ signal });
  expect(readBack(bot)).toEqual(treeOf(dir));
});
