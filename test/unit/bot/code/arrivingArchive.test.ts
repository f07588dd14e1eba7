import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pullCode } from '../../../../src/bot/code/pullCode.ts';
import type { PullCodeOptions } from '../../../../src/bot/code/pulledCode.ts';
import { isWorthwhile } from '../../../../src/bot/code/twoThreads.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { tar, type ZipItem, zip } from '../../../support/files/archives.ts';
import { workspace } from './workspace.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Files of all kinds, more than 4 MiB as a zip. */
const items: readonly ZipItem[] = [
  { name: 'main.py', data: 'print(1)\n' },
  ...Array.from({ length: 90 }, (_, i) => ({
    name: `package/${i}.bin`,
    data: Buffer.concat([randomBytes(60 * KiB), Buffer.alloc(100 * i)]),
    ...(i % 3 === 0 ? { method: 0 } : {}),
  })),
  { name: 'large.bin', data: randomBytes(2 * MiB) },
  { name: 'empty' },
  { name: 'link', data: 'main.py', mode: 0o120777 },
];
const code = zip(items);
const wrong = (what: Partial<ZipItem>) => zip([...items, { name: 'last', data: 'last', ...what }]);

/** What a store does instead of what it should; a fake, since no real one can be told when to send what. */
interface Faults {
  /** Waited for before the second half of the body. */
  readonly half?: () => Promise<unknown>;
  /** Instead of the bytes that a range asks for. */
  readonly range?: (bytes: Buffer) => Buffer;
}

async function bench(archive: Buffer, { half, range }: Faults = {}) {
  const directory = workspace();
  const real = openFileStore(join(directory, 'store'), 'custom-bots');
  await real.put('code', archive);
  const store: ObjectStore = {
    ...real,
    async get(key, options = {}) {
      const got = await real.get(key, options);
      if (options.range && range) {
        const bytes = archive.subarray(options.range.start, options.range.end);
        got.body.destroy();
        return { ...got, body: Readable.from([range(Buffer.from(bytes))]) };
      }
      if (options.range || !half) return got;
      got.body.destroy();
      async function* slowly() {
        yield archive.subarray(0, archive.length >> 1);
        await half?.();
        yield archive.subarray(archive.length >> 1);
      }
      return { ...got, body: Readable.from(slowly()) };
    },
  };
  const into = join(directory, 'bot');
  const pull = (options: Partial<PullCodeOptions> = {}) =>
    pullCode({
      store,
      key: 'code',
      maxBytes: 1 << 30,
      into,
      inMemoryBytes: 1 << 30,
      warn: () => {},
      ...options,
    });
  return { into, pull };
}

function check(into: string): void {
  for (const { name, data = '', mode } of items)
    if (mode === undefined)
      expect(readFileSync(join(into, String(name))).equals(Buffer.from(data))).toBe(true);
  expect(readFileSync(join(into, 'link'), 'utf8')).toBe('print(1)\n');
}

test('a large zip is unpacked aside while it arrives, and is the code when all of it is there', async () => {
  const { promise: half, resolve: sendRest } = Promise.withResolvers<void>();
  const { into, pull } = await bench(code, { half: () => half });
  const pulling = pull({ sha256: hash('sha256', code) });
  const unpacked = () =>
    existsSync(into)
      ? readdirSync(into, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bin'))
      : [];
  // A machine with one core does one after the other.
  while (isWorthwhile(code.length) && unpacked().length < 10) await sleep(5);
  expect(unpacked().every((name) => name.startsWith('.runtime-code'))).toBe(true);
  sendRest();
  expect(await pulling).toMatchObject({ files: 93, sha256: hash('sha256', code), archiveBytes: code.length });
  check(into);
});

test.each<[string, Buffer, Partial<PullCodeOptions>, string]>([
  ['another archive than was named', code, { sha256: hash('sha256', 'other') }, 'it has the SHA-256'],
  [
    'an archive that is another one and damaged',
    wrong({ crc: 1 }),
    { sha256: hash('sha256', code) },
    'it has the SHA-256',
  ],
  ['a wrong checksum of its last file', wrong({ crc: 1 }), {}, 'checksum (CRC-32)'],
  [
    'a last file that is longer than declared',
    wrong({ data: 'x'.repeat(9999), size: 9 }),
    {},
    'cannot be decompressed',
  ],
  [
    'a last file that differs from the directory',
    wrong({ localName: 'tsal' }),
    {},
    'differs from the central directory',
  ],
  ['a last file that lies elsewhere', wrong({ offset: 5 }), {}, 'differs from the central directory'],
  ['a last file beyond the end', wrong({ offset: 1 << 30 }), {}, 'truncated, or an offset in it is wrong'],
  ['a last file that leaves the directory', wrong({ name: '../last' }), {}, ''],
  ['a file twice, once as a folder', wrong({ name: 'large.bin/x' }), {}, 'used as a directory'],
  ['more than is allowed', code, { maxBytes: 5 * MiB }, 'more than the'],
  ['a zip without its end', code.subarray(0, code.length - 30), {}, 'a zip without its end'],
])('%s is refused whole', async (_, archive, options, message) => {
  const { into, pull } = await bench(archive);
  await expect(pull(options)).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringContaining(message),
  });
  expect(existsSync(into)).toBe(false);
});

test('an end that is another one than what comes in its place is refused', async () => {
  const other = zip(items.map((item) => ({ ...item, mode: item.mode ?? 0o100755 })));
  expect(other.length).toBe(code.length);
  const { into, pull } = await bench(code, { range: (bytes) => other.subarray(other.length - bytes.length) });
  if (isWorthwhile(code.length)) {
    await expect(pull()).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('another end'),
    });
    expect(existsSync(into)).toBe(false);
  }
});

test.each<[string, Buffer, Faults]>([
  ['the end of it cannot be had alone', code, { range: () => Buffer.alloc(0) }],
  ['its directory is longer than what is asked for', manyNames(), {}],
  ['its names come twice', zip([{ name: 'main.py', data: 'old' }, ...items]), {}],
])('a large zip is unpacked when all is there where %s', async (_, archive, faults) => {
  const { into, pull } = await bench(archive, faults);
  await pull();
  check(into);
});

/** With a directory of some 400 KiB. */
function manyNames(): Buffer {
  const long = 'n'.repeat(200);
  return zip([
    ...items,
    ...Array.from({ length: 1500 }, (_, i) => ({ name: `many/${i}-${long}`, data: '' })),
  ]);
}

test('a large tar is unpacked when all is there', async () => {
  const data = randomBytes(5 * MiB);
  const { into, pull } = await bench(tar([{ name: 'data', data }]));
  await pull();
  expect(readFileSync(join(into, 'data')).equals(data)).toBe(true);
});

test('a body that breaks off leaves nothing, and says so', async () => {
  const { into, pull } = await bench(code, { half: () => Promise.reject(new Error('gone')) });
  await expect(pull()).rejects.toThrow('gone');
  expect(existsSync(into)).toBe(false);
});

test('a pull that is given up while the archive arrives leaves nothing', async () => {
  const stop = new AbortController();
  const { into, pull } = await bench(code, {
    half: () => once(stop.signal, 'abort').then(() => Promise.reject(stop.signal.reason)),
  });
  const pulling = pull({ signal: stop.signal });
  const refused = expect(pulling).rejects.toThrow('enough');
  while (!existsSync(into)) await sleep(1);
  stop.abort(new Error('enough'));
  await refused;
  expect(existsSync(into)).toBe(false);
});
