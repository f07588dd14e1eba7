import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zip } from '../../../support/files/archives.ts';
import { unpackArchive } from '../../../support/files/unpackArchive.ts';
import { tree, unpack, workspace } from './workspace.ts';

const MiB = 1024 * 1024;

const tools = {
  'zip -r': ['zip', ['-qry', '../made', '.']],
  'zip without folder entries': ['zip', ['-qryD', '../made', '.']],
  'zip -0': ['zip', ['-qry0', '../made', '.']],
  'zip to a pipe': ['sh', ['-c', 'zip -qry - . > ../made.zip']],
  'python zipfile': ['/usr/bin/python3', ['-m', 'zipfile', '-c', '../made', 'a', 'z']],
  'tar (gnu)': ['tar', ['-cf', '../made', '--format=gnu', '.']],
  'tar (pax)': ['tar', ['-cf', '../made', '--format=pax', '.']],
  'tar -z': ['tar', ['-czf', '../made', '.']],
  'tar --zstd': ['tar', ['--zstd', '-cf', '../made', '.']],
  'zstd of several frames': ['sh', ['-c', '(tar -c a | zstd -q; tar -c z | zstd -q) > ../made']],
  'python tarfile': [
    '/usr/bin/python3',
    ['-c', 'import tarfile; t = tarfile.open("../made", "w:gz"); t.add("."); t.close()'],
  ],
} as const;
for (const [tool, [command, args]] of Object.entries(tools)) {
  test(`reads what ${tool} makes`, async () => {
    const directory = workspace();
    const source = join(directory, 'source');
    mkdirSync(join(source, 'a/b \u00fc'), { recursive: true });
    writeFileSync(join(source, 'a/b \u00fc/main.py'), 'print(1)\n');
    writeFileSync(join(source, `z${'n'.repeat(120)}`), 'x'.repeat(5000));
    const expanded = args.map((arg) => (arg === 'z' ? `z${'n'.repeat(120)}` : arg.replace('-c z', '-c z*')));
    execFileSync(command, expanded, { cwd: source });
    const made = execFileSync('sh', ['-c', 'ls -d made*'], { cwd: directory, encoding: 'utf8' }).trim();
    await unpackArchive(join(directory, made), join(directory, 'bot'), { maxBytes: MiB });
    expect(tree(join(directory, 'bot'))).toEqual(tree(source));
  });
}

const tars = [
  '--format=v7',
  '--format=ustar',
  '--format=gnu -V label',
  '--format=posix -V label',
  '--format=posix -S --sparse-version=0.0',
  '--format=posix -S --sparse-version=0.1',
  '--format=posix -S --sparse-version=1.0',
  '--format=gnu -S',
  '--format=oldgnu -S -z',
  '--format=gnu --incremental',
];
test.each(tars)('reads what tar %s makes', async (options) => {
  const directory = workspace();
  const source = join(directory, 'source');
  mkdirSync(join(source, 'folder'), { recursive: true });
  writeFileSync(join(source, 'folder/main.py'), 'print(1)\n');
  // More pieces than the header of the older sparse kind holds, and holes at both ends.
  const file = openSync(join(source, 'sparse'), 'w');
  for (let piece = 1; piece <= 60; piece++) writeSync(file, `piece ${piece}`, piece * 65_536 + piece);
  ftruncateSync(file, 4_500_000);
  closeSync(file);
  writeFileSync(join(source, 'hole'), '');
  truncateSync(join(source, 'hole'), 100_000);
  symlinkSync('folder/main.py', join(source, 'link'));
  linkSync(join(source, 'link'), join(source, 'link2'));
  const made = join(directory, 'made');
  execFileSync('tar', [...options.split(' '), '-cf', made, 'folder', 'sparse', 'hole', 'link', 'link2'], {
    cwd: source,
  });
  await unpackArchive(made, join(directory, 'bot'), { maxBytes: 8 * MiB });
  expect(tree(join(directory, 'bot'))).toEqual(tree(source));
});

test('reads a zip that was made where folders are separated by backslashes', async () => {
  const directory = workspace();
  const data = 'x';
  await unpack(
    directory,
    zip([
      { name: 'main.py', data, host: 0 },
      { name: 'pkg\\', host: 0, mode: 0 },
      { name: 'pkg\\deep\\a.py', data, host: 0 },
      { name: 'other\\b.py', data, host: 10 },
    ]),
  );
  expect(tree(join(directory, 'bot'))).toEqual({
    'main.py': 'x',
    other: '/',
    'other/b.py': 'x',
    pkg: '/',
    'pkg/deep': '/',
    'pkg/deep/a.py': 'x',
  });
});

test('any tree comes back as it was, through zip and tar.gz', async () => {
  const directory = workspace();
  const segment = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter(isFileName);
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
  const content = fc.uint8Array({ maxLength: 3000 });
  const trees = fc.dictionary(path, fc.record({ content, executable: fc.boolean() }), {
    minKeys: 1,
    maxKeys: 12,
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(trees.filter(isTree), async (wanted) => {
      const base = join(directory, String(run++));
      const source = join(base, 'source');
      for (const [name, file] of Object.entries(wanted)) {
        mkdirSync(dirname(join(source, name)), { recursive: true });
        writeFileSync(join(source, name), file.content);
        chmodSync(join(source, name), file.executable ? 0o700 : 0o600);
      }
      symlinkSync('.', join(source, 'l\u00efnk'));
      execFileSync('zip', ['-qry', join(base, 'made.zip'), '.'], { cwd: source });
      execFileSync('tar', ['-czf', join(base, 'made.tgz'), '.'], { cwd: source });
      for (const made of ['made.zip', 'made.tgz']) {
        await unpackArchive(join(base, made), join(base, 'bot'), { maxBytes: MiB });
        expect(tree(join(base, 'bot'))).toEqual(tree(source));
        for (const [name, file] of Object.entries(wanted)) {
          const mode = statSync(join(base, 'bot', name)).mode & 0o777;
          expect([mode, readFileSync(join(base, 'bot', name)).equals(file.content)]).toEqual([
            file.executable ? 0o755 : 0o644,
            true,
          ]);
        }
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);

/** Not what is refused, nor what the packers themselves cannot take as an argument. */
function isFileName(name: string): boolean {
  return (
    !/[/\\\0\ufffd]/.test(name) &&
    name !== '.' &&
    name !== '..' &&
    !/^[A-Za-z]:/.test(name) &&
    name.isWellFormed()
  );
}

/** No file is another one's folder. */
function isTree(wanted: Record<string, unknown>): boolean {
  const names = Object.keys(wanted);
  return !names.some((name) => names.some((other) => other.startsWith(`${name}/`)));
}
