import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const tar = (args: string[], cwd: string) => execFileSync('tar', args, { cwd, maxBuffer: 64 * 1024 * 1024 });

/** A folder with a sparse file, a hard link, a link, and a hard link to that. */
function source(bot: TestBot): string {
  const dir = bot.dir('source');
  mkdirSync(join(dir, 'd'), { recursive: true });
  writeFileSync(join(dir, 'a'), 'hi\n');
  linkSync(join(dir, 'a'), join(dir, 'd/hard'));
  symlinkSync('../a', join(dir, 'd/link'));
  linkSync(join(dir, 'd/link'), join(dir, 'd/same'));
  writeFileSync(join(dir, 'sparse'), 'start');
  truncateSync(join(dir, 'sparse'), 3_000_000);
  writeFileSync(join(dir, 'sparse'), 'middle', { flag: 'r+' });
  execFileSync('dd', ['of=sparse', 'bs=1', 'seek=1500000', 'conv=notrunc', 'status=none'], {
    cwd: dir,
    input: 'late',
  });
  execFileSync('touch', ['-d', '2001-09-09', ...['a', 'sparse', 'd'].map((name) => join(dir, name))]);
  return dir;
}

/** Not in all kinds. */
const withoutLinkTimes = (lines: readonly string[]) =>
  lines.map((line) => (line.includes(' link ') ? line.replace(/ -?\d+$/, '') : line));

test.each([
  ['v7', ['--format=v7', '-z']],
  ['ustar', ['--format=ustar', '-z']],
  ['oldgnu', ['--format=oldgnu', '-z']],
  ['GNU with a label', ['--format=gnu', '-V', 'label', '-z']],
  ['pax with a label', ['--format=posix', '-V', 'label', '-z']],
  ['pax sparse 0.0', ['--format=posix', '-S', '--sparse-version=0.0', '-z']],
  ['pax sparse 0.1', ['--format=posix', '-S', '--sparse-version=0.1', '-z']],
  ['pax sparse 1.0', ['--format=posix', '-S', '--sparse-version=1.0', '-z']],
  ['GNU sparse', ['--format=gnu', '-S', '-z']],
  ['uncompressed', ['--format=gnu']],
  ['zstd', ['--format=gnu', '--zstd']],
])('an older state of the kind %s is restored as GNU tar would', async (_, options) => {
  await using bot = await TestBot.openHasty();
  const dir = source(bot);
  const archive = tar(['-c', ...options, '.'], dir);
  await bot.store.put(`${bot.name}/state.tar.gz`, archive);
  const { report } = await bot.start('a');
  expect(report.legacy).toBe(true);
  expect(withoutLinkTimes(treeOf(bot.dir('a')))).toEqual(withoutLinkTimes(treeOf(dir)));
  expect(readFileSync(join(bot.dir('a'), 'sparse')).equals(readFileSync(join(dir, 'sparse')))).toBe(true);
  expect(readlinkSync(join(bot.dir('a'), 'd/same'))).toBe('../a');
  expect(lstatSync(join(bot.dir('a'), 'sparse')).blocks).toBeLessThan(100);
  expect(bot.warnings).toEqual([]);
});

test('two gzips one after the other are read to the end', async () => {
  await using bot = await TestBot.openHasty();
  mkdirSync(bot.dir('source'));
  for (const name of ['a', 'b']) writeFileSync(join(bot.dir('source'), name), name);
  const parts = ['a', 'b'].map((name) => tar(['-cz', name], bot.dir('source')));
  await bot.store.put(`${bot.name}/state.tar.gz`, Buffer.concat(parts));
  await bot.start('a');
  expect(readFileSync(join(bot.dir('a'), 'b'), 'utf8')).toBe('b');
});

test('an archive that comes by single bytes is told by its first ones all the same', async () => {
  await using bot = await TestBot.openHasty();
  await bot.store.put(`${bot.name}/state.tar.gz`, tar(['-cz', 'a'], source(bot)));
  const store: ObjectStore = {
    ...bot.store,
    get: async (key, options) => {
      const object = await bot.store.get(key, options);
      const bytes = async function* () {
        for await (const chunk of object.body) for (const byte of chunk as Buffer) yield Buffer.from([byte]);
      };
      return { ...object, body: Readable.from(bytes(), { objectMode: false, highWaterMark: 1 }) };
    },
  };
  await bot.start('a', { store });
  expect(readFileSync(join(bot.dir('a'), 'a'), 'utf8')).toBe('hi\n');
});

test.each([
  ['bzip2', '-j'],
  ['xz', '-J'],
])('what is packed by %s is refused whole, and says so', async (name, option) => {
  await using bot = await TestBot.openHasty();
  await bot.store.put(`${bot.name}/state.tar.gz`, tar(['-c', option, '.'], source(bot)));
  await expect(bot.start('a')).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining(name),
  });
});

test('times before 1970, after 2106 and with fractions come through', async () => {
  await using bot = await TestBot.openHasty();
  mkdirSync(bot.dir('source'));
  const times = ['1965-03-01T00:00:00.25Z', '2001-09-09T01:46:40.123456Z', '2300-01-01T00:00:00Z'];
  for (const time of times) {
    writeFileSync(join(bot.dir('source'), time.slice(0, 4)), '');
    execFileSync('touch', ['-d', time, join(bot.dir('source'), time.slice(0, 4))]);
  }
  await bot.store.put(`${bot.name}/state.tar.gz`, tar(['-cz', '--format=posix', '.'], bot.dir('source')));
  const { publisher } = await bot.start('a');
  publisher.close();
  for (const time of times) {
    const [a, b] = ['source', 'a'].map(
      (dir) => lstatSync(join(bot.dir(dir), time.slice(0, 4)), { bigint: true }).mtimeNs,
    );
    expect(Math.abs(Number(a! - b!)), time).toBeLessThanOrEqual(2000);
  }
});
