import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureFolders } from '../../../../src/host/data/measureFolders.ts';

const MiB = 2 ** 20;

describe('what folders take of the disk', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'measure-'));
    for (const name of ['small', 'large']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'large/file'), Buffer.alloc(3 * MiB, 1));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const measure = (...names: string[]) =>
    measureFolders(
      names.map((name) => join(root, name)),
      AbortSignal.timeout(60_000),
    );

  it('is told of each, whatever its name, and not of one that is not there', async () => {
    const odd = 'with\nline\tand tab';
    mkdirSync(join(root, odd));
    const sizes = await measure('small', 'large', odd, 'nowhere');
    expect([...sizes.keys()].sort()).toEqual([odd, 'large', 'small'].map((name) => join(root, name)).sort());
    expect(sizes.get(join(root, 'large'))).toBeGreaterThanOrEqual(3 * MiB);
    expect(sizes.get(join(root, 'small'))).toBeLessThan(MiB);
  });

  it('follows no link out of it', async () => {
    symlinkSync(join(root, 'large'), join(root, 'small/link'));
    symlinkSync('/', join(root, 'small/root'));
    expect((await measure('small')).get(join(root, 'small'))).toBeLessThan(MiB);
  });

  it('is what is known by then when it is told to end', async () => {
    expect((await measureFolders([root], AbortSignal.abort())).size).toBeLessThanOrEqual(1);
  });
});
