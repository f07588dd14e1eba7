import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Entry, fromBufferPromise } from 'yauzl';
import { type ZipItem, zip } from '../../../support/files/archives.ts';
import { tree, unpack, workspace } from './workspace.ts';

/** What the library makes of an archive: text by path; undefined where it refuses it. */
async function byLibrary(archive: Buffer): Promise<Record<string, string> | undefined> {
  const files: Record<string, string> = {};
  try {
    // Names as bytes: without the flag of UTF-8 the library takes them for those of DOS, and we for UTF-8 all the same.
    const zipFile = await fromBufferPromise(archive, { lazyEntries: true, decodeStrings: false });
    for await (const entry of zipFile.eachEntry()) {
      const name = entry.fileName.toString().replaceAll('\\', '/');
      if (name.endsWith('/') || isOther(entry)) continue;
      const stream = await zipFile.openReadStreamPromise(entry);
      files[normal(name)] = (await buffer(stream)).toString('utf8');
    }
    return files;
  } catch {
    return undefined;
  }
}

/** A folder or a symlink by its mode, of which the library makes nothing. */
function isOther({ versionMadeBy, externalFileAttributes }: Entry): boolean {
  return [3, 19].includes(versionMadeBy >>> 8) && [0o4, 0o12].includes(externalFileAttributes >>> 28);
}

/** What we make of it. */
async function byUs(archive: Buffer): Promise<Record<string, string> | undefined> {
  const directory = workspace();
  try {
    await unpack(directory, archive, { maxBytes: 1 << 20 });
  } catch {
    return undefined;
  }
  const root = join(directory, 'bot');
  const files = Object.entries(tree(root)).filter(([path]) => lstatSync(join(root, path)).isFile());
  return Object.fromEntries(files);
}

function normal(path: string): string {
  return path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

const segment = fc.stringMatching(/^[A-Za-z0-9_ü\u{1f600}][A-Za-z0-9_. ü\u{1f600}-]{0,12}$/u);
const item = fc.record({
  name: fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/')),
  data: fc.string({ maxLength: 300 }),
  method: fc.constantFrom(0, 8),
  host: fc.constantFrom(0, 3),
  dataDescriptor: fc.boolean(),
  zip64: fc.boolean(),
});
const items = fc
  .uniqueArray(item, { minLength: 1, maxLength: 6, selector: ({ name }) => name })
  .filter((all) => !all.some(({ name }) => all.some((other) => other.name.startsWith(`${name}/`))));
const archives = fc
  .record({ items, comment: fc.string({ maxLength: 40 }), zip64: fc.boolean() })
  // A comment that looks like an end record is for the two to disagree on.
  .filter(({ comment }) => !comment.includes('PK'))
  .map(({ items, comment, zip64 }) => ({
    items,
    archive: zip(items satisfies readonly ZipItem[], { comment, zip64 }),
  }));

test('what is a sound zip to the library is one to us, with the same files', async () => {
  await fc.assert(
    fc.asyncProperty(archives, async ({ archive, items }) => {
      const ours = await byUs(archive);
      expect(ours).toEqual(await byLibrary(archive));
      expect(Object.keys(ours ?? {})).toHaveLength(items.length);
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('a damaged zip is refused, or read as the library reads it', async () => {
  let refused = 0;
  let read = 0;
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 });
  const cut = fc.option(fc.nat(), { freq: 5 });
  await fc.assert(
    fc.asyncProperty(archives, damage, cut, async ({ archive }, bytes, length) => {
      const damaged = Buffer.from(archive);
      for (const [at, byte] of bytes) damaged[at % damaged.length] = byte;
      const given = length === null ? damaged : damaged.subarray(0, length % damaged.length);
      const ours = await byUs(given);
      if (ours === undefined) {
        refused += 1;
        return;
      }
      // On some damage the library never says anything.
      const theirs = await Promise.race([byLibrary(given), sleep(2000)]);
      if (theirs === undefined) return;
      read += 1;
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 400 },
  );
  // Both happen often, or nothing has been compared.
  expect(refused).toBeGreaterThan(40);
  expect(read).toBeGreaterThan(8);
}, 120_000);
