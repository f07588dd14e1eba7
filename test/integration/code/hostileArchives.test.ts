import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, inject, test } from 'vitest';
import { tar, zip } from '../../support/files/archives.ts';
import { newContainer, runRuntime } from '../../support/process/executable.ts';
import { minioClient, minioEnv } from '../../support/store/minio.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const minio = inject('minio');
const client = minioClient(minio);
const bucket = testBucket('hostile');
await client.makeBucket(bucket);

const main = { name: 'main.sh', data: 'echo ran' };
const link = { name: 'out', mode: 0o120777, data: '/tmp' };
const good = zip([main, { name: 'data', data: 'x'.repeat(10_000) }]);

const hostile: Record<string, Buffer> = {
  'a zip with ../': zip([main, { name: '../escaped', data: 'x' }]),
  'a zip with an absolute name': zip([main, { name: '/tmp/runtime-escaped', data: 'x' }]),
  'a zip with backslashes': zip([main, { name: '..\\escaped', data: 'x' }]),
  'a symlink that leaves the tree': zip([main, link]),
  'a symlink that a later entry goes through': zip([main, link, { name: 'out/escaped', data: 'x' }]),
  'a bomb': zip([main, { name: 'bomb', data: Buffer.alloc(40 * 1024 * 1024) }]),
  'a bomb that lies about its size': zip([
    main,
    { name: 'bomb', data: Buffer.alloc(40 * 1024 * 1024), size: 10 },
  ]),
  'a truncated zip': good.subarray(0, good.length - 100),
  'a zip with a wrong checksum': zip([main, { name: 'data', data: 'x', crc: 1 }]),
  // Large enough for two threads: whichever comes upon it, the first one says it.
  'a large zip with wrong checksums': zip([
    main,
    ...Array.from({ length: 600 }, (_, at) => ({
      name: `data-${at}`,
      data: randomBytes(10_000),
      ...(at > 300 && { crc: 1 }),
    })),
  ]),
  'a tar with ../': tar([main, { name: '../escaped', data: 'x' }]),
  'a tar.gz with an absolute name': gzipSync(tar([main, { name: '/tmp/runtime-escaped', data: 'x' }])),
  'a tar.zst with a hard link out': zstdCompressSync(
    tar([main, { name: 'h', type: 'hardlink', linkname: '../../etc/passwd' }]),
  ),
  'a truncated tar.gz': gzipSync(tar([main, { name: 'data', data: Buffer.alloc(100_000, 1) }])).subarray(
    0,
    200,
  ),
  'no archive at all': Buffer.from('print("hello")\n'),
};

async function run(archive: Buffer) {
  const key = `${randomUUID()}.bin`;
  await client.putObject(bucket, key, archive, archive.length);
  const container = await newContainer();
  const end = await runRuntime(['execute'], {
    ...minioEnv(minio),
    ...container.env,
    MINIO_CODE_BUCKET: bucket,
    BOT_ID: `hostile-${randomUUID()}`,
    RUNTIME: 'command',
    ENTRYPOINT: 'sh main.sh',
    CODE_FILE: key,
    MAX_CODE_SIZE_MB: '20',
  });
  return { end, container };
}

test('the same archive without the trick runs', async () => {
  expect((await run(good)).end).toMatchObject({ code: 0, stdout: 'ran\n' });
});

test.for(Object.entries(hostile))('%s: refused whole with 65, nothing of it left', async ([, archive]) => {
  const { end, container } = await run(archive);
  expect(end).toMatchObject({ code: 65, stdout: '' });
  expect(end.stderr).toMatch(/archive/);
  expect(await readdir(container.env.CODE_PATH!)).toEqual([]);
  expect(existsSync(join(container.root, 'escaped'))).toBe(false);
  expect(existsSync('/tmp/runtime-escaped')).toBe(false);
  expect(await container.exitRecord()).toMatchObject({ source: 'runtime', exit: 65, code: null });
});
