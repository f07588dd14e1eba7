import { hash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import {
  isWorthwhile,
  type RangeJob,
  type RangeWriter,
} from '../../../../../src/bot/state/restore/rangeWriter.ts';
import { startRangeWriter } from '../../../../../src/bot/state/restore/startRangeWriter.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

const MiB = 1024 * 1024;
const ends: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function workspace(): string {
  const dir = mkdtempSync(join(tmpdir(), 'writer-'));
  ends.push(() => rmSync(dir, { recursive: true }));
  return dir;
}

function started(): RangeWriter {
  const writer = startRangeWriter(undefined);
  ends.push(() => writer.close());
  return writer;
}

/** A range of one compressed and one plain frame, with a file and two blocks of another one. */
function rangeOf(dir: string) {
  const small = Buffer.from('a file of one block'.repeat(100));
  const blocks = [Buffer.alloc(MiB, 'x'), randomBytes(5000)];
  const frames = [zstdCompressSync(Buffer.concat([small, blocks[0]!])), blocks[1]!];
  const stored = Buffer.concat(frames);
  const memory = new SharedArrayBuffer(stored.length + 100);
  stored.copy(Buffer.from(memory));
  writeFileSync(join(dir, 'large'), '');
  const large = { path: join(dir, 'large'), fileSize: MiB + 5000, whole: undefined };
  const blob = (bytes: Buffer, position: number, file: RangeJob['frames'][0]['blobs'][0]['files'][0]) => ({
    position,
    size: bytes.length,
    sha256: hash('sha256', bytes),
    files: [file],
  });
  const whole = { mode: 0o640, mtime: '1000000000.5000005' };
  const smallFile = { path: join(dir, 'små').normalize(), fileSize: small.length, start: 0, whole };
  const path = Buffer.from(smallFile.path).toString('latin1');
  const job: RangeJob = {
    memory,
    frames: [
      {
        at: 0,
        stored: frames[0]!.length,
        size: small.length + MiB,
        blobs: [
          blob(small, 0, { ...smallFile, path }),
          blob(blocks[0]!, small.length, { ...large, start: 0 }),
        ],
      },
      {
        at: frames[0]!.length,
        stored: 5000,
        size: 5000,
        blobs: [blob(blocks[1]!, 0, { ...large, start: MiB })],
      },
    ],
  };
  return { job, small: { path: smallFile.path, bytes: small }, large: Buffer.concat(blocks), memory, dir };
}

test('files and blocks are written, with mode and time where the file is whole', async () => {
  const { job, small, large, dir } = rangeOf(workspace());
  expect(await started().run(job)).toBe(true);
  expect(readFileSync(small.path).equals(small.bytes)).toBe(true);
  expect(statSync(small.path).mode & 0o7777).toBe(0o640);
  expect(Math.floor(statSync(small.path).mtimeMs)).toBe(1_000_000_000_500);
  expect(readFileSync(join(dir, 'large')).equals(large)).toBe(true);
});

test('what is not what it was is not written, and said', async () => {
  const { job, memory, large, dir } = rangeOf(workspace());
  const bytes = Buffer.from(memory);
  bytes[job.frames[1]!.at + 17]! ^= 1;
  expect(await started().run(job)).toBe(false);
  expect(readFileSync(join(dir, 'large')).length).toBeLessThan(large.length);
});

test('nothing is written over what is there', async () => {
  const { job, small } = rangeOf(workspace());
  writeFileSync(small.path, 'in the way');
  expect(await started().run(job)).toBe(false);
  expect(readFileSync(small.path, 'utf8')).toBe('in the way');
});

test('a thread that is gone writes nothing, and says so', async () => {
  const { job } = rangeOf(workspace());
  const writer = startRangeWriter(undefined);
  const answer = writer.run(job);
  await writer.close();
  expect(typeof (await answer)).toBe('boolean');
  expect(writer.isGone).toBe(true);
});

/** More than a second thread is worth, of all kinds. */
function fill(dir: string): void {
  mkdirSync(join(dir, 'many'));
  for (let i = 0; i < 300; i++) writeFileSync(join(dir, 'many', `f${i}`), randomBytes(20_000 + i));
  for (let i = 0; i < 3; i++) writeFileSync(join(dir, 'many', `same${i}`), Buffer.alloc(30_000, 'same'));
  writeFileSync(join(dir, 'large'), Buffer.concat([randomBytes(9 * MiB), Buffer.alloc(2 * MiB)]));
  writeFileSync(
    join(dir, 'sparse'),
    Buffer.concat([randomBytes(3 * MiB), Buffer.alloc(2 * MiB), randomBytes(3 * MiB)]),
  );
  truncateSync(join(dir, 'sparse'), 20 * MiB + 5);
  writeFileSync(join(dir, 'née'), 'x'.repeat(5000));
  chmodSync(join(dir, 'née'), 0o4711);
  utimesSync(join(dir, 'large'), -5.25, -5.25);
}

async function largeState(): Promise<{ bot: TestBot; tree: string[] }> {
  const bot = await TestBot.open();
  ends.push(() => bot[Symbol.asyncDispose]());
  const { dir, publisher } = await bot.start('a');
  fill(dir);
  await publisher.publish({ signal });
  return { bot, tree: treeOf(dir) };
}

test('a large state comes back by two threads as it was', async () => {
  const { bot, tree } = await largeState();
  const { dir, report } = await bot.start('b');
  expect(treeOf(dir)).toEqual(tree);
  expect(report.fetchedBytes).toBeGreaterThan(16 * MiB);
}, 60_000);

test('damage to any of its packs is damage, whichever thread meets it', async () => {
  const { bot } = await largeState();
  for (const name of readdirSync(bot.object('packs'))) {
    const path = bot.object(`packs/${name}`);
    const good = readFileSync(path);
    const bad = Buffer.from(good);
    bad[bad.length >> 1]! ^= 1;
    writeFileSync(path, bad);
    await expect(bot.start(`damaged-${name}`)).rejects.toMatchObject({ code: 'damaged' });
    writeFileSync(path, good);
  }
}, 120_000);

test('a small container restores by one thread', () => {
  expect(isWorthwhile(100 * MiB, 128 * MiB)).toBe(false);
  expect(isWorthwhile(100 * MiB, 512 * MiB)).toBe(isWorthwhile(100 * MiB, 0));
  expect(isWorthwhile(MiB, 0)).toBe(false);
});
