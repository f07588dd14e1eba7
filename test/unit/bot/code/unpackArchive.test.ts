import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { tar, zip } from '../../../support/files/archives.ts';
import { tree, unpack, workspace } from './workspace.ts';

const MiB = 1024 * 1024;

test.for([
  ['zip', (items: typeof files) => zip(items)],
  ['tar', (items: typeof files) => tar(items)],
  ['tar.gz', (items: typeof files) => gzipSync(tar(items))],
  ['tar.zst', (items: typeof files) => zstdCompressSync(tar(items))],
] as const)('unpacks a %s, told by its bytes', async ([, pack]) => {
  const directory = workspace();
  const { files: count, bytes } = await unpack(directory, pack(files));
  expect(tree(join(directory, 'bot'))).toEqual({ 'main.py': 'print(1)\n', lib: '/', 'lib/empty': '' });
  expect({ count, bytes }).toEqual({ count: 2, bytes: 9 });
});
const files = [
  { name: './main.py', data: 'print(1)\n' },
  { name: 'lib//empty', data: '' },
];

const normal = {
  'data descriptors': zip([{ name: 'a', data: 'text', dataDescriptor: true }]),
  'zip64 sizes': zip([{ name: 'a', data: 'text', zip64: true }]),
  'a zip64 end record': zip([{ name: 'a', data: 'text' }], { zip64: true }),
  'a comment': zip([{ name: 'a', data: 'text' }], {
    comment: 'PK\x05\x06 looks like an end, and is long enough',
  }),
  'a script before it': Buffer.concat([
    Buffer.from('#!/usr/bin/env python3\n'),
    zip([{ name: 'a', data: 'text' }]),
  ]),
  'a line end behind it': Buffer.concat([zip([{ name: 'a', data: 'text' }]), Buffer.from('\r\n')]),
  'a comment, and something before and behind': Buffer.concat([
    Buffer.from('before'),
    zip([{ name: 'a', data: 'text' }], { comment: 'PK\x05\x06, and more than 22 bytes' }),
    Buffer.from('behind'),
  ]),
  'a stored file': zip([{ name: 'a', data: 'text', method: 0 }]),
  'a file twice, the last one counting': zip([
    { name: 'a', data: 'old' },
    { name: 'a', data: 'text' },
  ]),
  'a file twice in a tar': tar([
    { name: 'a', data: 'old' },
    { name: 'a', data: 'text' },
  ]),
  'a name in pax': tar([{ name: 'x', pax: { path: './a' }, data: 'text' }]),
  'a root entry': tar([
    { name: './', type: 'directory' },
    { name: './a', data: 'text' },
  ]),
  'a hard link to itself': tar([
    { name: 'a', data: 'text' },
    { name: './a', type: 'hardlink', linkname: 'a' },
  ]),
  'several gzip members': Buffer.concat([
    gzipSync(tar([{ name: 'a', data: 'text' }]).subarray(0, 700)),
    gzipSync(tar([{ name: 'a', data: 'text' }]).subarray(700)),
  ]),
};
for (const [what, archive] of Object.entries(normal)) {
  test(`takes an archive with ${what}`, async () => {
    const directory = workspace();
    await unpack(directory, archive);
    expect(tree(join(directory, 'bot'))).toEqual({ a: 'text' });
  });
}

test('takes names of any script, with spaces, newlines and 255 bytes', async () => {
  const names = [
    '\u00fc\u4f60\u{1f600}',
    'two words',
    'line\nbreak',
    '...',
    '-rf',
    'y'.repeat(255),
    'ab:c',
    '__MACOSX',
  ];
  const items = names.map((name) => ({ name, data: name }));
  for (const archive of [
    zip(items),
    zip(items.map((item) => ({ ...item, flags: 0 }))),
    tarWithLongNames(items),
  ]) {
    const directory = workspace();
    await unpack(directory, archive);
    expect(tree(join(directory, 'bot'))).toEqual(Object.fromEntries(names.map((name) => [name, name])));
  }
});

test('keeps symlinks that stay inside, and makes hard links files of their own', async () => {
  const directory = workspace();
  const link = { mode: 0o120777 };
  await unpack(directory, zip([
    { name: 'bin/tool', data: '../lib/tool', ...link },
    { name: 'lib/tool', data: 'tool' },
    { name: 'current', data: 'lib', ...link },
    { name: 'missing', data: 'lib/none', ...link },
    { name: 'lib/self', data: '../lib/../lib/tool', ...link },
    { name: 'root', data: '.', ...link },
  ])); // biome-ignore format: one a line
  expect(tree(join(directory, 'bot'))).toMatchObject({
    'bin/tool': '-> ../lib/tool',
    current: '-> lib',
    missing: '-> lib/none',
    root: '-> .',
  });
  expect(readFileSync(join(directory, 'bot/current/self'), 'utf8')).toBe('tool');

  await unpack(directory, tar([
    { name: 'a', data: 'text', mode: 0o755 },
    { name: 'd/b', type: 'hardlink', linkname: './a' },
  ])); // biome-ignore format: one a line
  const [a, b] = ['a', 'd/b'].map((name) => statSync(join(directory, 'bot', name)));
  expect([a!.nlink, b!.nlink, b!.mode & 0o777]).toEqual([1, 1, 0o755]);
});

test('makes files readable to everybody, executables executable, and nothing setuid, under any umask', async () => {
  const modes = [
    [0o000, 0o644],
    [0o600, 0o644],
    [0o700, 0o755],
    [0o6777, 0o755],
    [0o666, 0o644],
    [0o001, 0o755],
  ] as const;
  const items = modes.map(([mode]) => ({ name: `d/${mode}`, data: 'x', mode }));
  const zipped = zip(items.map((item) => ({ ...item, mode: item.mode | 0o100000 })));
  const before = process.umask(0o077);
  try {
    for (const archive of [zipped, tar([{ name: 'd', type: 'directory', mode: 0 }, ...items])]) {
      const directory = workspace();
      await unpack(directory, archive);
      const modeOf = (name: string) => lstatSync(join(directory, 'bot', name)).mode & 0o7777;
      for (const [mode, expected] of modes) expect(modeOf(`d/${mode}`)).toBe(expected);
      expect(modeOf('d')).toBe(0o755);
    }
  } finally {
    process.umask(before);
  }
});

test('takes no Unix modes from a zip that DOS made', async () => {
  const directory = workspace();
  await unpack(directory, zip([{ name: 'a', data: 'b', mode: 0o120777, host: 0 }]));
  expect(tree(join(directory, 'bot'))).toEqual({ a: 'b' });
});

test.skipIf(process.getuid?.() !== 0)('gives everything to the owner', async () => {
  const directory = workspace();
  const items = [
    { name: 'd/a', data: 'x' },
    { name: 'l', data: 'd', mode: 0o120777 },
  ];
  await unpack(directory, zip(items), { owner: { uid: 1234, gid: 5678 } });
  for (const name of ['.', 'd', 'd/a', 'l']) {
    expect(lstatSync(join(directory, 'bot', name))).toMatchObject({ uid: 1234, gid: 5678 });
  }
});

test('keeps the times of a tar, and of a zip that says them in UTC', async () => {
  const directory = workspace();
  writeFileSync(join(directory, 'a.py'), 'x');
  utimesSync(join(directory, 'a.py'), 1_234_567_891, 1_234_567_891);
  execFileSync('zip', ['-q', 'a.zip', 'a.py'], { cwd: directory });
  for (const archive of [
    readFileSync(join(directory, 'a.zip')),
    tar([{ name: 'a.py', mtime: 1_234_567_891 }]),
  ]) {
    await unpack(directory, archive);
    expect(statSync(join(directory, 'bot/a.py')).mtimeMs).toBe(1_234_567_891_000);
  }
});

test('unpacks files of many megabytes in pieces', async () => {
  const directory = workspace();
  const large = Buffer.alloc(20 * MiB, 'some text that repeats ');
  const items = [
    { name: 'a', data: large },
    { name: 'b', data: large, method: 0 },
  ];
  for (const archive of [zip(items), gzipSync(tar(items))]) {
    await unpack(directory, archive);
    for (const name of ['a', 'b'])
      expect(readFileSync(join(directory, 'bot', name)).equals(large)).toBe(true);
  }
});

test('stops when it is aborted, and leaves nothing', async () => {
  const directory = workspace();
  const items = Array.from({ length: 500 }, (_, i) => ({ name: `f${i}`, data: 'x' }));
  for (const archive of [zip(items), gzipSync(tar(items))]) {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(unpack(directory, archive, { signal })).rejects.toThrow('stopped');
    expect(tree(directory)).toEqual({});
  }
});

function tarWithLongNames(items: readonly { name: string; data: string }[]): Buffer {
  return tar(items.map(({ name, data }) => ({ name: 'x', pax: { path: name }, data })));
}

test('names of DOS are CP437 where they are no UTF-8', async () => {
  const directory = workspace();
  const names = [
    Buffer.from([0x67, 0x72, 0x81, 0xe1, 0x65]),
    Buffer.from([0xb3, 0xdf, 0xff, 0x9f]),
    'grüße2',
  ];
  await unpack(directory, zip(names.map((name) => ({ name, host: 0, mode: 0, flags: 0, data: '' }))));
  expect(Object.keys(tree(join(directory, 'bot'))).sort()).toEqual(['grüße', 'grüße2', '│▀\u00a0ƒ'].sort());
});
