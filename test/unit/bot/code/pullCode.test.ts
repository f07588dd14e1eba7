import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { pullCode } from '../../../../src/bot/code/pullCode.ts';
import type { PullCodeOptions } from '../../../../src/bot/code/pulledCode.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { tar, zip } from '../../../support/files/archives.ts';
import { tree, workspace } from './workspace.ts';

const isRoot = process.getuid?.() === 0;
const bot = { uid: 1234, gid: 1234 };
const code = zip([
  { name: 'main.py', data: 'print(1)\n' },
  { name: 'bin/tool', data: 'tool', mode: 0o100700 },
  { name: 'tool', data: 'bin/tool', mode: 0o120777 },
]);
const unpacked = { 'main.py': 'print(1)\n', bin: '/', 'bin/tool': 'tool', tool: '-> bin/tool' };

test.for([
  ['memory', 1 << 20],
  ['a file', 0],
] as const)('pulls through %s', async ([, inMemoryBytes]) => {
  const { into, pull, put } = await bench();
  await put(code);
  const pulled = await pull({ inMemoryBytes, sha256: hash('sha256', code) });
  expect(pulled).toEqual({
    files: 2,
    bytes: 13,
    sha256: hash('sha256', code),
    archiveBytes: code.length,
    cached: false,
  });
  expect(tree(into)).toEqual(unpacked);
});

test('another archive than CODE_SHA256 names is refused, and nothing is unpacked', async () => {
  const { into, pull, put } = await bench();
  await put(code);
  await expect(pull({ sha256: hash('sha256', 'other') })).rejects.toMatchObject({
    code: 'damaged',
    hint: expect.stringContaining('CODE_SHA256'),
  });
  expect(existsSync(into)).toBe(false);
});

test('a missing archive is told with its bucket and key', async () => {
  const { into, pull, store } = await bench();
  for (const options of [{}, { cache: join(into, '../cache'), owner: bot }]) {
    await expect(pull(options)).rejects.toMatchObject({
      code: 'not-found',
      exitCode: 66,
      path: 'bots/one.zip',
    });
    await expect(pull(options)).rejects.toHaveProperty('hint', expect.stringContaining(store.name));
  }
  expect(existsSync(into)).toBe(false);
});

test('an archive over the limit is refused before it is downloaded', async () => {
  const { into, pull, put } = await bench();
  await put(code);
  await expect(pull({ maxBytes: code.length - 1 })).rejects.toMatchObject({
    code: 'damaged',
    hint: expect.stringContaining('MAX_CODE_SIZE_MB'),
  });
  expect(existsSync(into)).toBe(false);
});

test('a restarted container runs the code of the store, not what the bot made of it', async () => {
  const { into, pull, put } = await bench();
  await put(code);
  await pull();
  writeFileSync(join(into, 'main.py'), 'evil');
  await pull();
  expect(tree(into)).toEqual(unpacked);
});

test('stops when it is aborted, and leaves nothing', async () => {
  const { into, pull, put } = await bench();
  await put(code);
  await expect(pull({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
  expect(existsSync(into)).toBe(false);
});

// The cache needs a user of the bot's own, so these need root.
test.skipIf(!isRoot)('a cached archive is not downloaded again', async () => {
  const { cached, cache, gets, into, pull, put } = await bench();
  await put(code);
  expect(await cached()).toMatchObject({ cached: false });
  rmSync(into, { recursive: true });
  expect(await cached()).toMatchObject({ cached: true, files: 2, bytes: 13, archiveBytes: code.length });
  expect(gets()).toBe(1);
  expect(tree(into)).toEqual(unpacked);
  expect(statSync(join(into, 'bin/tool'))).toMatchObject({ uid: 1234, mode: 0o100755, nlink: 1 });
  expect(await pull({ cache, owner: bot, key: 'gone', sha256: hash('sha256', code) })).toMatchObject({
    cached: true,
  });
});

test.skipIf(!isRoot)('a new version of the object is not taken from the cache', async () => {
  const { cached, into, put } = await bench();
  await put(code);
  await cached();
  await put(gzipSync(tar([{ name: 'new.py', data: 'new' }])));
  expect(await cached()).toMatchObject({ cached: false });
  expect(tree(into)).toEqual({ 'new.py': 'new' });
});

test.skipIf(!isRoot)(
  'nobody but its owner can change the cache, and it holds nothing temporary',
  async () => {
    const { cached, cache, put } = await bench();
    await put(code);
    const before = process.umask(0o000);
    await cached().finally(() => process.umask(before));
    expect(readdirSync(cache).sort()).toEqual([hash('sha256', code), 'keys'].sort());
    for (const name of readdirSync(cache, { recursive: true })) {
      const { uid, mode } = statSync(join(cache, String(name)));
      expect([name, uid, mode & 0o022]).toEqual([name, 0, 0]);
    }
  },
);

const damages: Record<string, (entry: string) => void> = {
  'a changed byte': (entry) => writeFileSync(join(entry, 'tree/main.py'), 'print(2)\n'),
  'a file cut off': (entry) => truncateSync(join(entry, 'tree/main.py'), 3),
  'a file made longer': (entry) => writeFileSync(join(entry, 'tree/main.py'), 'print(1)\n\n'),
  'a missing file': (entry) => rmSync(join(entry, 'tree/bin/tool')),
  'no manifest': (entry) => rmSync(join(entry, 'manifest')),
  'an empty manifest': (entry) => truncateSync(join(entry, 'manifest')),
  'a changed manifest': (entry) => {
    const text = readFileSync(join(entry, 'manifest'), 'utf8');
    writeFileSync(join(entry, 'manifest'), text.replace('"executable":true', '"executable":false'));
  },
};
for (const [what, damage] of Object.entries(damages)) {
  test.skipIf(!isRoot)(`a cache entry with ${what} is told, not used, and replaced`, async () => {
    const { cached, cache, into, put, warnings } = await bench();
    await put(code);
    await cached();
    damage(join(cache, hash('sha256', code)));
    expect(await cached()).toMatchObject({ cached: false });
    expect(warnings).toEqual([expect.stringContaining('is not used')]);
    expect(tree(into)).toEqual(unpacked);
    expect(await cached()).toMatchObject({ cached: true });
  });
}

test.skipIf(!isRoot)('a cache that the bot could write to is not used, and a warning says so', async () => {
  const { cached, cache, into, put, warnings } = await bench();
  await put(code);
  mkdirSync(cache);
  for (const open of [() => chmodSync(cache, 0o777), () => chownSync(cache, bot.uid, bot.gid)]) {
    chmodSync(cache, 0o755);
    open();
    expect(await cached()).toMatchObject({ cached: false });
    expect(warnings.splice(0)).toEqual([expect.stringMatching(/is not used: /)]);
    expect(readdirSync(cache)).toEqual([]);
  }
  expect(tree(into)).toEqual(unpacked);
});

test('a cache is not used where the bot runs as our own user', async () => {
  const { cache, into, pull, put, warnings } = await bench();
  await put(code);
  mkdirSync(cache);
  await pull({ cache });
  await pull({ cache, sha256: hash('sha256', code) });
  expect(warnings).toHaveLength(2);
  expect(tree(into)).toEqual(unpacked);
});

test.skipIf(!isRoot)('a limit holds for what comes from the cache too', async () => {
  const { cached, put } = await bench();
  await put(zip([{ name: 'a', data: 'x'.repeat(5000) }]));
  await cached();
  await expect(cached({ maxBytes: 4000 })).rejects.toMatchObject({ code: 'damaged' });
});

test.skipIf(!isRoot)('a cache that cannot be written costs a warning, not the start', async () => {
  const { cached, cache, into, put, warnings } = await bench();
  await put(code);
  mkdirSync(join(cache, 'keys'), { recursive: true });
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,mode=755', 'tmpfs', cache]).status !== 0) return;
  onTestFinished(() => void spawnSync('umount', [cache]));
  expect(await cached()).toMatchObject({ cached: false });
  expect(warnings).toEqual([expect.stringContaining('EROFS')]);
  expect(tree(into)).toEqual(unpacked);
});

test.skipIf(!isRoot)('many starts at once share one cache', async () => {
  const { cached, cache, into, put, warnings } = await bench();
  await put(code);
  const targets = Array.from({ length: 12 }, (_, i) => join(into, `../bot${i}`));
  await Promise.all(targets.map((target) => cached({ into: target })));
  for (const target of targets) expect(tree(target)).toEqual(unpacked);
  expect(readdirSync(cache).sort()).toEqual([hash('sha256', code), 'keys'].sort());
  expect(warnings).toEqual([]);
});

async function bench() {
  const directory = workspace();
  const [into, cache] = [join(directory, 'bot'), join(directory, 'cache')];
  const real = openFileStore(join(directory, 'store'), 'custom-bots');
  let gets = 0;
  const store: ObjectStore = {
    ...real,
    get: (...args) => {
      gets += 1;
      return real.get(...args);
    },
  };
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const defaults = { store, key: 'bots/one.zip', maxBytes: 1 << 30, into, inMemoryBytes: 1 << 20, warn };
  const pull = (options: Partial<PullCodeOptions> = {}) => pullCode({ ...defaults, ...options });
  return {
    into,
    cache,
    store,
    warnings,
    gets: () => gets,
    pull,
    cached: (options: Partial<PullCodeOptions> = {}) => pull({ cache, owner: bot, ...options }),
    put: (bytes: Buffer) => real.put('bots/one.zip', bytes),
  };
}
