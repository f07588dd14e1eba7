import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packFolder } from '../../../../src/box/files/packFolder.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

/** Files of this folder that this process has open. */
function openIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(`${folder}/`) ? [path] : [];
    } catch {
      return [];
    }
  });
}

test('whoever goes in the middle of an archive leaves no file open, wherever that is', async () => {
  const folder = await temporaryDirectory();
  mkdirSync(join(folder, 'sub'));
  for (const name of ['a', 'sub/b', 'sub/c']) writeFileSync(join(folder, name), name.repeat(1000));
  const signal = new AbortController().signal;
  let pieces = 0;
  for await (const _ of await packFolder(folder, signal)) pieces++;
  expect(pieces).toBeGreaterThan(10);
  for (let taken = 1; taken <= pieces; taken++) {
    let count = 0;
    for await (const _ of await packFolder(folder, signal)) if (++count === taken) break;
    await expect.poll(() => openIn(folder), { timeout: 20_000 }).toEqual([]);
  }
});
