import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoke } from '../../../support/process/invoke.ts';
import { signal, TestBot } from '../../bot/state/support/bot.ts';
import { treeOf } from '../../bot/state/support/treeOf.ts';

let bot: TestBot;
let first: string[];

beforeAll(async () => {
  bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'folder/large'), Buffer.alloc(100_000, 'large'));
  writeFileSync(join(dir, 'line\nbreak'), 'x');
  await publisher.publish({ signal });
  first = treeOf(dir);
  rmSync(join(dir, 'line\nbreak'));
  await publisher.publish({ signal });
});
afterAll(() => bot[Symbol.asyncDispose]());

const state = (command: string, ...rest: string[]) =>
  invoke(['state', command, ...rest, '--store-url', `file://${bot.dir('store')}`], { cwd: bot.path });
const json = async (command: string, ...rest: string[]) =>
  JSON.parse((await state(command, ...rest, '--json')).stdout);

test('ls lists the snapshots', async () => {
  expect(await json('ls', bot.name)).toMatchObject([
    { sequence: 1, files: 2, bytes: 100_001, consistent: true },
    { sequence: 2, files: 1 },
  ]);
  expect((await state('ls', bot.name)).stdout).toMatch(/^1\t.*\t2\t97.7 KiB\tyes\n2\t/);
});

test('show and diff name what is there on one line each', async () => {
  expect((await state('show', bot.name, '--at', '1')).stdout.split('\n')[2]).toMatch(
    /^file\t644\t1\t.*\t"line\\nbreak"$/,
  );
  expect((await state('diff', bot.name, '1')).stdout).toMatch(/^removed\t\t"line\\nbreak"$/m);
  expect(await json('diff', bot.name, '2', '1')).toContainEqual(
    expect.objectContaining({ path: 'line\nbreak', change: 'added' }),
  );
});

test('restore puts a snapshot into a directory', async () => {
  expect(await json('restore', bot.name, '--at', '1', '--to', 'restored')).toMatchObject({
    sequence: 1,
    entries: 3,
  });
  expect(treeOf(bot.dir('restored'))).toEqual(first);
  await state('restore', bot.name, 'folder/large', '--to', 'part');
  expect(readdirSync(bot.dir('part/folder'))).toEqual(['large']);
});

test('export replaces no file, and leaves none where it fails', async () => {
  writeFileSync(join(bot.path, 'mine.tar'), 'mine');
  await expect(state('export', bot.name, '-o', 'mine.tar')).rejects.toMatchObject({ exitCode: 77 });
  expect(readFileSync(join(bot.path, 'mine.tar'), 'utf8')).toBe('mine');
  await expect(state('export', bot.name, '--at', '99', '-o', 'no.tar')).rejects.toMatchObject({
    exitCode: 66,
  });
  await expect(state('export', bot.name, '--at', 'x', '-o', 'no.tar')).rejects.toMatchObject({
    exitCode: 64,
  });
  expect(readdirSync(bot.path)).not.toContain('no.tar');
  const open = () => readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
  await expect.poll(open).not.toContainEqual(expect.stringContaining('no.tar'));
});

test('an archive whose reader ends is cut short: 74', async () => {
  const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  const stdout = new Writable({ write: (_bytes, _encoding, done) => done(gone) });
  const words = ['state', 'export', bot.name, '--store-url', `file://${bot.dir('store')}`];
  await expect(invoke(words, { cwd: bot.path, stdout })).rejects.toMatchObject({ exitCode: 74 });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

test('export writes what tar reads', async () => {
  await state('export', bot.name, '--at', '1', '--gzip', '-o', 'state.tar.gz');
  mkdirSync(bot.dir('unpacked'));
  execFileSync('tar', ['-xzf', bot.dir('state.tar.gz'), '-C', bot.dir('unpacked')]);
  expect(readFileSync(bot.dir('unpacked/line\nbreak'), 'utf8')).toBe('x');
  expect((await state('export', bot.name)).stdout.length).toBeGreaterThan(100_000);
});

test('verify exits 0 when all is well and 65 when not, naming the object', async () => {
  expect(await state('verify', bot.name)).toMatchObject({ code: 0, stdout: /all is well/ });
  const [pack] = readdirSync(bot.object('packs'));
  const bytes = readFileSync(bot.object(`packs/${pack}`));
  rmSync(bot.object(`packs/${pack}`));
  const { code, stdout } = await state('verify', bot.name, '--json');
  expect(code).toBe(65);
  expect(JSON.parse(stdout).problems).toContainEqual(
    expect.objectContaining({ key: `${bot.name}/packs/${pack}`, problem: 'missing' }),
  );
  writeFileSync(bot.object(`packs/${pack}`), bytes);
});

test('prune says what it did', async () => {
  expect(await json('prune', bot.name)).toMatchObject({ deletedObjects: 0, youngObjects: 0 });
});

test('what is not there is 66, what is not a bot or no snapshot 64', async () => {
  for (const command of ['ls', 'show', 'verify', 'export', 'prune', 'recover'])
    await expect(state(command, 'nobody'), command).rejects.toMatchObject({ code: 'not-found' });
  await expect(state('show', bot.name, '--at', '9')).rejects.toMatchObject({ code: 'not-found' });
  await expect(state('ls', '../x')).rejects.toMatchObject({ code: 'usage' });
  await expect(state('show', bot.name, '--at', 'latest')).rejects.toMatchObject({ code: 'usage' });
});

test('a head that is gone beside other objects is damage, in every command, and recover mends it', async () => {
  const head = readFileSync(bot.object('head'));
  rmSync(bot.object('head'));
  const before = readdirSync(bot.object('packs'));
  for (const command of ['ls', 'show', 'verify', 'export', 'prune'])
    await expect(state(command, bot.name), command).rejects.toMatchObject({
      code: 'damaged',
      hint: expect.stringContaining('state recover'),
    });
  expect(readdirSync(bot.object('packs'))).toEqual(before);
  expect(await state('recover', bot.name)).toMatchObject({ code: 0 });
  expect(await json('ls', bot.name)).toMatchObject([{ sequence: 1 }, { sequence: 2 }]);
  writeFileSync(bot.object('head'), head);
});

test('a bot that has a state of the older format alone is told from one that has none', async () => {
  await bot.store.put('older/state.tar.gz', Buffer.from('as it was'));
  await expect(state('ls', 'older')).rejects.toMatchObject({ code: 'not-found', hint: /older format/ });
});
