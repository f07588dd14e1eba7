import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { watchChanges } from '../../../src/daemon/changeHints.ts';
import { memoryLog } from '../../support/memoryLog.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

function watched(dir: string) {
  const seen: string[] = [];
  const { log, lines } = memoryLog();
  const watcher = watchChanges({ dir, ignore: ['.own'], onChange: (path) => void seen.push(path), log });
  onTestFinished(() => watcher.close());
  return { watcher, seen, lines };
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
  // A folder is watched a moment after it appeared: only the scan sees what happens in between.
  await sleep(300);
  await hinted(seen, () => writeFile(join(dir, 'new', 'folder', 'file'), '1'));
  expect(lines).toEqual([]);
});

test('our own folder is no change', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, '.own'));
  const { seen } = watched(dir);
  await writeFile(join(dir, '.own', 'marker'), '1');
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
