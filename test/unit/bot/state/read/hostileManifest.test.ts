import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeHead, parseHead } from '../../../../../src/bot/state/format/head.ts';
import {
  encodeManifest,
  type Manifest,
  parseManifest,
} from '../../../../../src/bot/state/format/manifest.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** A bot whose newest snapshot lies in a pack, behind a manifest to which this was done, hashes and all. */
async function forged(forge: (manifest: Manifest) => Partial<Manifest>): Promise<TestBot> {
  const bot = await TestBot.openHasty();
  const { dir, publisher } = await bot.start('a');
  writeFileSync(join(dir, 'x'), randomBytes(100_000));
  await publisher.publish({ signal });
  const head = parseHead(readFileSync(bot.object('head'), 'utf8'), bot.name);
  const [snapshot] = head.snapshots;
  const genuine = snapshot!.manifest!;
  const manifest = parseManifest(genuine, readFileSync(bot.object(`manifests/${genuine}`)), bot.name);
  const { name, body } = await encodeManifest({ ...manifest, ...forge(manifest) });
  await bot.store.put(`${bot.name}/manifests/${name}`, body);
  const record = { ...snapshot!, manifest: name };
  await bot.store.put(`${bot.name}/head`, encodeHead({ ...head, snapshots: [record] }));
  return bot;
}

test('a manifest to which nothing was done is restored', async () => {
  await using bot = await forged(() => ({}));
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(bot.dir('a')));
});

test('a pack that is named twice is one pack', async () => {
  await using bot = await forged(({ packs, frames }) => ({
    packs: [...packs, ...packs],
    frames: frames.map(([pack, ...place]) => [pack + packs.length, ...place] as const),
  }));
  expect(treeOf((await bot.start('b')).dir)).toEqual(treeOf(bot.dir('a')));
});

const cases: [string, (manifest: Manifest) => Partial<Manifest>][] = [
  ['a segment that is named twice', ({ segments }) => ({ segments: [...segments, ...segments] })],
  ['a frame in no pack', ({ frames }) => ({ frames: frames.map(([, ...place]) => [9, ...place] as const) })],
  [
    'a frame that ends behind its pack',
    ({ frames }) => ({ frames: frames.map(([pack, , ...sizes]) => [pack, 1e9, ...sizes] as const) }),
  ],
  [
    'a frame of 64 TiB',
    ({ frames }) => ({ frames: frames.map(([pack, at, stored]) => [pack, at, stored, 2 ** 46] as const) }),
  ],
  [
    'a segment behind the end of its frame',
    ({ segments }) => ({
      segments: segments.map(([hash, frame, , size]) => [hash, frame, 1e6, size] as const),
    }),
  ],
  [
    'a segment in no frame',
    ({ segments }) => ({ segments: segments.map(([hash, , ...place]) => [hash, 9, ...place] as const) }),
  ],
  [
    'a segment that names a pack which its manifest does not',
    ({ packs, frames }) => ({
      packs: packs.map((pack, i) => (i === frames[0]![0] ? pack : ['0'.repeat(64), 1, 1])),
    }),
  ],
  ['no packs', () => ({ packs: [] })],
];

test.each(cases)('%s is damage', async (_, forge) => {
  await using bot = await forged(forge);
  await expect(bot.start('b')).rejects.toMatchObject({ code: 'damaged', op: 'state.restore' });
  expect(treeOf(bot.dir('b'))).toEqual([]);
});
