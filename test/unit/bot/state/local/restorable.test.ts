import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathOfBytes } from '../../../../../src/bot/state/format/entryPath.ts';
import { unsaveable } from '../../../../../src/bot/state/local/unsaveable.ts';
import { asUser, isRoot } from '../../../../support/process/asUser.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const python = (code: string, cwd: string) => execFileSync('/usr/bin/python3', ['-c', code], { cwd });

test('times before 1970 and in the years 2300 and 2446 are saved and restored', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const seconds = { old: -5e9, recent: 1.7e9, 2300: 10_413_792_000, 2446: 15_021_849_599 };
  for (const [name, time] of Object.entries(seconds)) {
    writeFileSync(join(dir, name), name);
    utimesSync(join(dir, name), String(time), String(time));
  }
  await publisher.publish({ signal });
  const { report } = await bot.start('b');
  expect(report).toMatchObject({ sequence: 1, files: 4, fellBackTo: undefined });
  for (const name of Object.keys(seconds)) {
    const times = ['a', 'b'].map((where) => lstatSync(join(bot.dir(where), name), { bigint: true }).mtimeNs);
    // Seconds as a floating-point number, which is all that Node passes on, are exact to 2 µs by then.
    expect(Math.abs(Number(times[0]! - times[1]!)), name).toBeLessThanOrEqual(2000);
    expect(readFileSync(join(bot.dir('b'), name), 'utf8')).toBe(name);
  }
});

test('whole seconds and milliseconds come back as they were, and every time in its own microsecond', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const times = [0n, 1n, 10n ** 9n, 1_700_000_000_000_000_000n, -86_400_000_000_000n, -1n, -999_999_999n];
  for (let i = 0n; i < 200n; i++)
    times.push(1_700_000_000_000_000_000n + i * 123_456_789n, i * -1_234_567_891n);
  python(`import os\nfor t in [${times.join()}]: open(str(t), "w"); os.utime(str(t), ns=(t, t))`, dir);
  await publisher.publish({ signal });
  await bot.start('b');
  for (const time of times) {
    const { mtimeNs } = lstatSync(join(bot.dir('b'), `${time}`), { bigint: true });
    // 1,000 nanoseconds, rounded down also before 1970.
    const micros = (ns: bigint) => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
    expect(micros(mtimeNs), `${time}`).toBe(micros(time));
    if (time % 10n ** 9n === 0n) expect(mtimeNs).toBe(time);
  }
});

/** Makes a file at a path of so many bytes in all, going from folder to folder. */
const deep = (total: number) => `
import os
left = ${total} - len(os.getcwd())
while left > 256:
    os.mkdir('d' * 200); os.chdir('d' * 200); left -= 201
if left > 1: open('e' * (left - 1), 'w').write('deep')`;

const names = (dir: string) =>
  execFileSync('find', ['.', '-mindepth', '1', '!', '-name', '.runtime-sync', '-printf', '%P %m %T@ %s\\n'], {
    cwd: dir,
    encoding: 'utf8',
  });

test.each([4000, 4094, 4095])(
  'a path of %i bytes is saved and restored, by way of longer ones too',
  async (total) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    python(deep(total), dir);
    await publisher.publish({ signal });
    const { report } = await bot.start('b');
    expect(report).toMatchObject({ sequence: 1, files: 1 });
    const times = (text: string) => text.replaceAll(/(\.\d{6})\d*/g, '$1');
    expect(times(names(bot.dir('b')))).toBe(times(names(dir)));
    expect(bot.warnings).toEqual([]);
  },
);

test.each([4096, 4097, 9000])(
  'what has a path of %i bytes is left out and named, and all else is saved',
  async (total) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    writeFileSync(join(dir, 'x'), 'x');
    python(deep(total), dir);
    expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1, files: 1 });
    expect(bot.warnings).toEqual([
      'a path that is too long for the system cannot be saved and was left out of the state',
    ]);
    // Nothing of Node's can.
    execFileSync('rm', ['-rf', dir]);
    await bot.start('b');
    expect(readFileSync(join(bot.dir('b'), 'x'), 'utf8')).toBe('x');
  },
);

test('a file with more blocks than an entry can name is left out before it is read, a sparse one is not', () => {
  const stat = lstatSync(import.meta.filename, { bigint: true });
  const sized = (blocks: bigint) => Object.assign(stat, { blocks, size: 2n ** 50n });
  expect(unsaveable(pathOfBytes('x'), 'file', sized(2n ** 30n))).toBeUndefined();
  expect(unsaveable(pathOfBytes('x'), 'file', sized(2n ** 30n + 2048n))).toBe(
    'file that holds more than 512 GiB',
  );
});

test.runIf(isRoot)(
  'what another user has closed is left out, stays there, and keeps nothing from being saved',
  async () => {
    await using bot = await TestBot.open();
    for (const name of ['a', 'b']) {
      mkdirSync(join(bot.dir(name), 'lost+found'), { recursive: true, mode: 0o700 });
      chmodSync(join(bot.dir(name), 'lost+found'), 0o700);
      mkdirSync(join(bot.dir(name), 'theirs'), { mode: 0o700 });
      writeFileSync(join(bot.dir(name), 'theirs/secret'), 'theirs');
      chmodSync(bot.dir(name), 0o777);
    }
    writeFileSync(join(bot.dir('a'), 'key'), 'theirs', { mode: 0o600 });
    await asUser(bot.path, async () => {
      const { dir, publisher } = await bot.start('a');
      writeFileSync(join(dir, 'x'), 'mine');
      expect(await publisher.publish({ signal })).toMatchObject({ sequence: 1, files: 1 });
      const what = "a folder or file of another user's that may not be read";
      expect(bot.warnings).toEqual(Array(2).fill(`${what} cannot be saved and was left out of the state`));
      const { report } = await bot.start('b');
      expect(report).toMatchObject({ sequence: 1, files: 1 });
      expect(readFileSync(join(bot.dir('b'), 'x'), 'utf8')).toBe('mine');
    });
    expect(readFileSync(join(bot.dir('b'), 'theirs/secret'), 'utf8')).toBe('theirs');
    expect(lstatSync(join(bot.dir('b'), 'lost+found')).isDirectory()).toBe(true);
  },
);

test.runIf(isRoot)(
  'negative control: what was saved once and is closed by another user is an error',
  async () => {
    await using bot = await TestBot.open();
    const first = await bot.start('a');
    writeFileSync(join(first.dir, 'x'), 'saved');
    await first.publisher.publish({ signal });
    const saved = treeOf(first.dir);
    chmodSync(join(first.dir, 'x'), 0o600);
    await bot.start('b');
    execFileSync('chown', ['-R', '1000:1000', bot.path]);
    execFileSync('chown', ['0:0', join(bot.dir('b'), 'x')]);
    chmodSync(join(bot.dir('b'), 'x'), 0o600);
    await asUser(bot.path, async () => {
      const again = await bot.start('b');
      await expect(again.publisher.publish({ signal })).rejects.toMatchObject({ code: 'unsaved' });
    });
    await bot.start('c');
    expect(treeOf(bot.dir('c'))).toEqual(saved);
  },
);
