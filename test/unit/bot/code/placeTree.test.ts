import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { readCodeMarker } from '../../../../src/bot/code/codeMarker.ts';
import { zip } from '../../../support/files/archives.ts';
import { tree, unpack, workspace } from './workspace.ts';

const isRoot = process.getuid?.() === 0;
const archive = (...names: string[]) => zip(names.map((name) => ({ name, data: name })));

test('replaces all of an earlier unpack, and what the bot made of it', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  await unpack(directory, archive('main.py', 'old.py', 'lib/a', 'lib/b'));
  writeFileSync(join(bot, 'main.py'), 'changed by the bot');
  writeFileSync(join(bot, 'lib/c'), 'made by the bot');
  await unpack(directory, archive('main.py', 'lib/a'));
  expect(tree(bot)).toEqual({ 'main.py': 'main.py', lib: '/', 'lib/a': 'lib/a' });
});

test('leaves alone what is not from an unpack', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  mkdirSync(join(bot, 'data'), { recursive: true });
  writeFileSync(join(bot, 'data/x'), 'x');
  await unpack(directory, archive('main.py'));
  await unpack(directory, archive('other.py'));
  expect(tree(bot)).toEqual({ data: '/', 'data/x': 'x', 'other.py': 'other.py' });
});

test('does not write or delete through symlinks that the bot left', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  const outside = join(directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'a'), 'outside');
  await unpack(directory, archive('lib/a', 'main.py'));
  for (const [name, target] of [
    ['lib', outside],
    ['main.py', join(outside, 'a')],
  ] as const) {
    rmSync(join(bot, name), { recursive: true });
    symlinkSync(target, join(bot, name));
  }
  rmSync(join(bot, '.runtime-code.json'));
  symlinkSync(join(outside, 'a'), join(bot, '.runtime-code.json'));
  await unpack(directory, archive('lib/a', 'main.py'));
  expect(tree(outside)).toEqual({ a: 'outside' });
  expect(tree(bot)).toEqual({ lib: '/', 'lib/a': 'lib/a', 'main.py': 'main.py' });
  expect(lstatSync(join(bot, '.runtime-code.json')).isFile()).toBe(true);
});

test('is not led astray by a marker that the bot wrote', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  writeFileSync(join(directory, 'precious'), 'precious');
  mkdirSync(bot);
  const names = ['../precious', '..', '.', '', 'a/../../precious', 7, null];
  const markers = [
    '',
    '{',
    'null',
    '[]',
    '{"names":1}',
    JSON.stringify({ sha256: '', complete: true, names }),
  ];
  for (const marker of markers) {
    writeFileSync(join(bot, '.runtime-code.json'), marker);
    await unpack(directory, archive('main.py'));
    expect(tree(directory)).toEqual({ precious: 'precious', bot: '/', 'bot/main.py': 'main.py' });
  }
});

test('is not held up by a marker that is a pipe, a directory or endless', async () => {
  const directory = workspace();
  const marker = join(directory, 'bot/.runtime-code.json');
  mkdirSync(join(directory, 'bot'));
  for (const make of [
    () => void execFileSync('mkfifo', [marker]),
    () => mkdirSync(join(marker, 'full'), { recursive: true }),
    () => symlinkSync('/dev/zero', marker),
  ]) {
    make();
    await unpack(directory, archive('main.py'));
    expect(readCodeMarker(join(directory, 'bot'))).toMatchObject({ complete: true, names: ['main.py'] });
    rmSync(marker);
  }
});

test('the marker says when the code is whole', async () => {
  const directory = workspace();
  const { sha256 } = await unpack(directory, archive('main.py', 'lib/a'));
  const marker = readCodeMarker(join(directory, 'bot'));
  expect({ ...marker, names: marker?.names.toSorted() }).toEqual({
    version: 1,
    complete: true,
    sha256,
    names: ['lib', 'main.py'],
  });
});

test('a start killed at any moment is repaired by the next one', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  // One file, so that each of the processes loads it in a moment.
  const unpacker = join(directory, 'unpacker.cjs');
  const entry = join(import.meta.dirname, '../../../support/files/unpackArchive.ts');
  buildSync({ entryPoints: [entry], outfile: unpacker, bundle: true, platform: 'node', format: 'cjs' });
  const program = `
    const fs = require('node:fs');
    let step = 0;
    for (const name of ['mkdirSync', 'mkdtempSync', 'renameSync', 'rmSync', 'openSync', 'writeFileSync']) {
      const real = fs[name];
      fs[name] = (...args) => {
        if (step++ === Number(process.argv[3])) process.kill(process.pid, 'SIGKILL');
        return real(...args);
      };
    }
    const { unpackArchive } = require(${JSON.stringify(unpacker)});
    unpackArchive(process.argv[1], process.argv[2], { maxBytes: 1e6 });`;
  writeFileSync(join(directory, 'two'), archive('b/y', 'c', 'd'));
  let killed = 0;
  for (let step = 0; ; step++) {
    rmSync(bot, { recursive: true, force: true });
    await unpack(directory, archive('a', 'b/x', 'c'));
    const { signal, status, stderr } = spawnSync(
      process.execPath,
      ['-e', program, join(directory, 'two'), bot, String(step)],
      { encoding: 'utf8' },
    );
    if (signal === null) {
      expect([status, stderr]).toEqual([0, '']);
      break;
    }
    killed += 1;
    const half = readCodeMarker(bot);
    if (half?.complete && !existsSync(join(bot, 'd'))) expect(existsSync(join(bot, 'a'))).toBe(true);
    await unpack(directory, archive('c', 'e'));
    expect(readdirSync(bot).sort()).toEqual(['.runtime-code.json', 'c', 'e']);
    expect(tree(bot)).toEqual({ c: 'c', e: 'e' });
  }
  expect(killed).toBeGreaterThan(10);
}, 60_000);

test.skipIf(!isRoot)('replaces folders that the bot made read-only, as an ordinary user too', async () => {
  const directory = workspace();
  const bot = join(directory, 'bot');
  chmodSync(directory, 0o777);
  process.seteuid?.(1234);
  try {
    await unpack(directory, archive('lib/a/b/c', 'main.py'));
    for (const name of ['lib/a/b', 'lib/a', 'lib']) chmodSync(join(bot, name), 0o500);
    await unpack(directory, archive('lib/x'));
    expect(tree(bot)).toEqual({ lib: '/', 'lib/x': 'lib/x' });
    expect(readdirSync(bot).sort()).toEqual(['.runtime-code.json', 'lib']);
  } finally {
    process.seteuid?.(0);
  }
});

const mounted = (path: string, options = 'mode=755', type = 'tmpfs'): void => {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', type, '-o', options, type, path]);
  onTestFinished(() => void execFileSync('umount', [path]));
};
const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

test.skipIf(!canMount)('never replaces a volume, nor a folder with a volume in it', async () => {
  const directory = workspace();
  const volume = join(directory, 'bot/lib/da ta');
  mounted(volume);
  writeFileSync(join(volume, 'precious'), 'precious');
  await expect(unpack(directory, archive('lib/a'))).rejects.toMatchObject({ code: 'config', path: volume });
  await unpack(directory, archive('main.py'));
  expect(tree(join(directory, 'bot'))).toMatchObject({
    'lib/da ta/precious': 'precious',
    'main.py': 'main.py',
  });
});

test.skipIf(!canMount)('unpacks into a volume', async () => {
  const directory = workspace();
  mounted(join(directory, 'bot'));
  await unpack(directory, archive('lib/a'));
  expect(tree(join(directory, 'bot'))).toEqual({ lib: '/', 'lib/a': 'lib/a' });
});

test.skipIf(!canMount)('replaces folders that come with the image', async () => {
  const directory = workspace();
  // An overlay's upper directory cannot lie on an overlay, as a test's own directory may.
  mounted(join(directory, 'layers'));
  const [image, upper, work] = ['image', 'upper', 'work'].map((name) => join(directory, 'layers', name));
  for (const path of [`${image}/lib/deep`, upper!, work!]) mkdirSync(path, { recursive: true });
  writeFileSync(`${image}/lib/deep/old`, 'old');
  const bot = join(directory, 'bot');
  mounted(bot, `lowerdir=${image},upperdir=${upper},workdir=${work},redirect_dir=off`, 'overlay');
  await unpack(directory, archive('lib/a'));
  expect(tree(bot)).toEqual({ lib: '/', 'lib/a': 'lib/a' });
});

test.skipIf(!canMount)('a full disk is said as such, and the earlier code is still there', async () => {
  const directory = workspace();
  mounted(join(directory, 'bot'), 'size=1m');
  await unpack(directory, archive('main.py'));
  const large = zip([{ name: 'main.py', data: Buffer.alloc(4 << 20) }]);
  await expect(unpack(directory, large)).rejects.toMatchObject({ code: 'unavailable', retryable: false });
  expect(tree(join(directory, 'bot'))).toEqual({ 'main.py': 'main.py' });
});

test.skipIf(!canMount)('a read-only code path is a matter of configuration', async () => {
  const directory = workspace();
  mounted(join(directory, 'bot'), 'ro');
  await expect(unpack(directory, archive('main.py'))).rejects.toMatchObject({ code: 'config' });
});

test('a code path that is a file is a matter of configuration', async () => {
  const directory = workspace();
  writeFileSync(join(directory, 'bot'), '');
  await expect(unpack(directory, archive('main.py'))).rejects.toMatchObject({ code: 'config' });
  expect(readFileSync(join(directory, 'bot'), 'utf8')).toBe('');
});
