import { createCipheriv } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { scaled } from '../../../../support/scale.ts';
import { signal, type TestBot } from './bot.ts';
import { treeOf } from './treeOf.ts';

const KiB = 1024;

type Operation = { readonly name: string; run(dir: string): void };

const names = fc.constantFrom('a', 'b', 'a-b', 'A', 'ü', 'new\nline', ' ', '.hidden', '日本', 'a.b');
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const sizes = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.constantFrom(0, 1, 100, 4096, 70 * KiB, 1024 * KiB, 1024 * KiB + 1, 2500 * KiB),
  },
  // Some seconds each, so at full scale only.
  { weight: scaled(1) > 1 ? 1 : 0, arbitrary: fc.constant(100 * 1024 * KiB) },
);

/** What is at `path` without following a link anywhere below `dir`. */
function typeOf(dir: string, path: string): 'file' | 'other' | undefined {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = join(dir, ...parts.slice(0, depth));
    if (lstatSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  }
  const stat = lstatSync(join(dir, path), { throwIfNoEntry: false });
  return stat && (stat.isFile() ? 'file' : 'other');
}

/** The same for the same seed, and as dense as noise. */
const content = (size: number, seed: number) =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, seed + 1), Buffer.alloc(16)).update(Buffer.alloc(size));

/** Whatever stands in the way of a new entry goes. */
function makeRoom(dir: string, path: string): string {
  let folder = dir;
  for (const part of dirname(path)
    .split('/')
    .filter((name) => name !== '.')) {
    folder = join(folder, part);
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(folder);
    mkdirSync(folder, { recursive: true });
  }
  const full = join(dir, path);
  rmSync(full, { recursive: true, force: true });
  return full;
}

const onFile = (name: string, path: string, act: (full: string) => void): Operation => ({
  name: `${name} ${JSON.stringify(path)}`,
  run: (dir) => {
    if (typeOf(dir, path) === 'file') act(join(dir, path));
  },
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ path: paths, size: sizes, seed: fc.nat(5) }).map(({ path, size, seed }) => ({
    name: `write ${JSON.stringify(path)} ${size}`,
    run: (dir: string) => writeFileSync(makeRoom(dir, path), content(size, seed)),
  })),
  fc
    .record({ path: paths, size: sizes })
    .map(({ path, size }) => onFile('append', path, (full) => appendFileSync(full, content(size, 9)))),
  fc.record({ path: paths, at: fc.nat(3000 * KiB) }).map(({ path, at }) =>
    onFile('overwrite', path, (full) => {
      const fd = openSync(full, 'r+');
      writeSync(fd, 'overwritten', at);
      closeSync(fd);
    }),
  ),
  fc
    .record({ path: paths, size: sizes })
    .map(({ path, size }) => onFile('truncate', path, (full) => truncateSync(full, size))),
  fc
    .record({ path: paths, mode: fc.constantFrom(0o600, 0o644, 0o755, 0o4750, 0o400) })
    .map(({ path, mode }) => onFile('chmod', path, (full) => chmodSync(full, mode))),
  fc
    .record({ path: paths, time: fc.integer({ min: -1_000_000, max: 4_000_000_000 }) })
    .map(({ path, time }) =>
      onFile('touch', path, (full) => utimesSync(full, `${time}.123456`, `${time}.123456`)),
    ),
  fc.record({ from: paths, to: paths }).map(({ from, to }) =>
    onFile('rename', from, (full) => {
      const dir = full.slice(0, full.length - from.length - 1);
      if (`${to}/`.startsWith(`${from}/`) || `${from}/`.startsWith(`${to}/`)) return;
      const target = makeRoom(dir, to);
      if (existsSync(full)) renameSync(full, target);
    }),
  ),
  paths.map((path) => ({
    name: `remove ${JSON.stringify(path)}`,
    run: (dir: string) => {
      if (typeOf(dir, path)) rmSync(join(dir, path), { recursive: true });
    },
  })),
  paths.map((path) => ({
    name: `folder ${JSON.stringify(path)}`,
    run: (dir: string) => mkdirSync(makeRoom(dir, path)),
  })),
  fc.record({ path: paths, target: names }).map(({ path, target }) => ({
    name: `link ${JSON.stringify(path)}`,
    run: (dir: string) => symlinkSync(target, makeRoom(dir, path)),
  })),
);

const step = fc.oneof(
  { weight: 6, arbitrary: operation },
  { weight: 2, arbitrary: fc.constant('publish' as const) },
  { weight: 1, arbitrary: fc.constant('move to another host' as const) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
);

/** Random operations, publishes, restarts and moves to other hosts: what is restored is what was published. */
export async function checkRandomLives(openBot: () => Promise<TestBot>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      await using bot = await openBot();
      let host = 0;
      let instance = await bot.start('host-0');
      mkdirSync(join(instance.dir, 'first'));
      await instance.publisher.publish({ signal });
      let published = treeOf(instance.dir);
      for (const next of steps) {
        if (next === 'publish') {
          await instance.publisher.publish({ signal });
          published = treeOf(instance.dir);
        } else if (next === 'restart') {
          const before = treeOf(instance.dir);
          instance = await bot.start(`host-${host}`);
          expect(treeOf(instance.dir)).toEqual(before);
        } else if (next === 'move to another host') {
          host = (host + 1) % 3;
          instance = await bot.start(`host-${host}`);
          expect(treeOf(instance.dir)).toEqual(published);
        } else {
          next.run(instance.dir);
        }
      }
      await instance.publisher.publish({ signal, still: true });
      published = treeOf(instance.dir);
      const last = await bot.start('last');
      expect(treeOf(last.dir)).toEqual(published);
      expect(readdirSync(last.dir).length).toBe(readdirSync(instance.dir).length);
    }),
    { numRuns },
  );
}
