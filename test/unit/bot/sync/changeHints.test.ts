import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { watchChanges } from '../../../../src/bot/sync/changeHints.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { memoryLog } from '../../../support/memoryLog.ts';
import { asUser, isRoot } from '../../../support/process/asUser.ts';

function watched(dir: string) {
  const seen: string[] = [];
  const { log, lines } = memoryLog();
  const ignored = { count: 0 };
  const watcher = watchChanges({
    dir,
    ignore: ['.own'],
    onChange: (path) => void seen.push(path),
    onIgnored: () => {
      ignored.count += 1;
    },
    log,
  });
  onTestFinished(() => watcher.close());
  return { watcher, seen, ignored, lines };
}

/** What a change is told as. */
async function hinted(seen: string[], change: () => Promise<unknown>): Promise<string[]> {
  seen.length = 0;
  await change();
  await expect.poll(() => seen.length).toBeGreaterThan(0);
  return seen;
}

test('files in folders below folders, old and new: written, appended to, renamed, removed', async () => {
  const dir = await temporaryDirectory();
  const deep = join(dir, 'a', 'b', 'c');
  await mkdir(deep, { recursive: true });
  const { seen, lines } = watched(dir);
  expect(await hinted(seen, () => writeFile(join(deep, 'file'), '1'))).toContain('a/b/c/file');
  await hinted(seen, () => appendFile(join(deep, 'file'), '2'));
  await hinted(seen, () => rename(join(deep, 'file'), join(deep, 'other')));
  await hinted(seen, () => rm(join(deep, 'other')));
  await hinted(seen, () => mkdir(join(dir, 'new', 'folder'), { recursive: true }));
  // Only the scan sees what happens in between.
  await until(seen, 'new/folder/file', join(dir, 'new', 'folder', 'file'));
  expect(lines).toEqual([]);
});

test('folders that take the place of others, move, or have names that are not text', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'a', 'b'), { recursive: true });
  const { seen, lines } = watched(dir);
  await rm(join(dir, 'a'), { recursive: true });
  await hinted(seen, () => mkdir(join(dir, 'a', 'b'), { recursive: true }));
  await until(seen, 'a/b/file', join(dir, 'a', 'b', 'file'));
  await hinted(seen, () => rename(join(dir, 'a'), join(dir, 'moved')));
  await until(seen, 'moved/b/file', join(dir, 'moved', 'b', 'file'));
  await mkdir(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff])]));
  await until(
    seen,
    '\xff/file',
    Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff]), Buffer.from('/file')]),
  );
  expect(lines).toEqual([]);
});

test.runIf(isRoot)('a folder that the bot has closed to an ordinary user is no end of it', async () => {
  const dir = await temporaryDirectory();
  await asUser(dir, async () => {
    await mkdir(join(dir, 'early'), { mode: 0 });
    const { seen, lines } = watched(dir);
    await hinted(seen, () => mkdir(join(dir, 'late'), { mode: 0 }));
    await mkdir(join(dir, 'open'));
    await until(seen, 'open/file', join(dir, 'open', 'file'));
    expect(lines).toEqual([]);
  });
});

/** A folder is watched a moment after it appeared. */
async function until(seen: string[], path: string, file: string | Buffer): Promise<void> {
  await expect
    .poll(async () => {
      await appendFile(file, 'x');
      return seen.includes(path);
    })
    .toBe(true);
}

test('whatever comes last in a burst of new folders is not missed, then or later', async () => {
  const dir = await temporaryDirectory();
  const { seen, lines } = watched(dir);
  const files = Array.from({ length: 100 }, (_, i) => `${i}/a/b/file`);
  const make = files.map((file) => `mkdir -p ${join(dir, dirname(file))}; echo x > ${join(dir, file)}`);
  // By another process, as a bot is: we cannot stop in the middle of it.
  await promisify(execFile)('/bin/sh', ['-c', make.join('\n')]);
  await expect.poll(() => files.filter((file) => !seen.includes(file.split('/')[0]!))).toEqual([]);
  seen.length = 0;
  for (const file of files) await until(seen, file, join(dir, file));
  expect(lines).toEqual([]);
});

test('more folders than are watched: one warning, and then silence', async () => {
  const dir = await temporaryDirectory();
  await Promise.all(Array.from({ length: 995 }, (_, i) => mkdir(join(dir, `${i}`))));
  const { seen, lines } = watched(dir);
  await hinted(seen, () => writeFile(join(dir, '7', 'file'), ''));
  await mkdir(join(dir, 'more', 'and/more/and/more'), { recursive: true });
  await expect.poll(() => lines).toEqual([expect.stringMatching(/SYNC_INTERVAL.*1000 folders/)]);
  await sleep(50);
  seen.length = 0;
  await writeFile(join(dir, '7', 'file'), '');
  await sleep(100);
  expect(seen).toEqual([]);
  expect(lines).toHaveLength(1);
});

test("a folder's own mode is a change of the folder", async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'a', 'b'), { recursive: true });
  const { seen } = watched(dir);
  await hinted(seen, () => chmod(join(dir, 'a', 'b'), 0o700));
  await sleep(50);
  expect(new Set(seen)).toEqual(new Set(['a/b']));
});

test('our own folder is not a change', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, '.own'));
  const { seen, ignored } = watched(dir);
  await writeFile(join(dir, '.own', 'marker'), '1');
  await chmod(join(dir, '.own'), 0o700);
  await expect.poll(() => ignored.count).toBeGreaterThan(0);
  await hinted(seen, () => writeFile(join(dir, '.ownly'), '1'));
  expect(new Set(seen)).toEqual(new Set(['.ownly']));
});

test('a folder that cannot be watched is one warning and no more', async () => {
  const { watcher, lines } = watched(join(await temporaryDirectory(), 'absent'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('SYNC_INTERVAL');
  watcher.close();
});

test('closed: silent', async () => {
  const dir = await temporaryDirectory();
  const { watcher, seen } = watched(dir);
  await hinted(seen, () => writeFile(join(dir, 'one'), ''));
  watcher.close();
  await sleep(50);
  seen.length = 0;
  await writeFile(join(dir, 'two'), '');
  await sleep(100);
  expect(seen).toEqual([]);
});

test('what was written before the watch, and not before the beginning, is told at once', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'sub'));
  for (const name of ['old', 'sub/old', 'new', 'sub/new']) await writeFile(join(dir, name), '1');
  for (const name of ['old', 'sub/old']) await utimes(join(dir, name), 100, 100);
  const seen: string[] = [];
  const since = 1_000_000;
  const ignore: string[] = [];
  const { log } = memoryLog();
  const onChange = (path: string) => void seen.push(path);
  const watcher = watchChanges({ dir, ignore, onChange, onIgnored: () => undefined, since, log });
  onTestFinished(() => watcher.close());
  expect(seen.toSorted()).toEqual(['new', 'sub/new']);
});

test('what came with a folder, before that was watched, is told', async () => {
  const dir = await temporaryDirectory();
  const elsewhere = await temporaryDirectory();
  await mkdir(join(elsewhere, 'made/deep'), { recursive: true });
  await writeFile(join(elsewhere, 'made/deep/file'), '1');
  const { seen } = watched(dir);
  await rename(join(elsewhere, 'made'), join(dir, 'made'));
  await expect.poll(() => seen).toContain('made/deep/file');
});
