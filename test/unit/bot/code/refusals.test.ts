import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type TarItem, tar, type ZipItem, zip } from '../../../support/files/archives.ts';
import { tree, unpack, workspace } from './workspace.ts';

const good = { name: 'main.py', data: 'print(1)\n' };
const MiB = 1024 * 1024;

const names = {
  'a parent': '../evil',
  'a parent inside': 'a/../../evil',
  'a parent that stays': 'a/../b',
  'a parent at the end': 'a/..',
  'an absolute name': '/tmp/evil',
  'a backslash': '..\\evil',
  'a drive letter': 'C:evil',
  'a name of 256 bytes': 'x'.repeat(256),
  'a name of 256 bytes in 86 characters': '\u20ac'.repeat(86),
  'a path of 3,075 bytes': `${'d/'.repeat(1537)}f`,
  'the name of the marker': '.runtime-code.json',
};

const zips: Record<string, readonly ZipItem[]> = {
  'a NUL': [{ name: 'a\0b' }],
  'a name that is not UTF-8': [{ name: Buffer.from([0x61, 0xff]) }],
  'a name of DOS that says to be UTF-8': [
    { name: Buffer.from([0x61, 0xff]), host: 0, mode: 0, flags: 0x800 },
  ],
  'no name': [{ name: '' }],
  'a symlink that is absolute': [link('a', '/etc/passwd')],
  'a symlink to a parent': [link('a', '../x')],
  'a symlink to a parent of a folder': [link('d/a', '../../x')],
  'a symlink that leaves through another': [link('d/e/up', '../..'), link('out', 'd/e/up/..')],
  'a symlink in a circle': [link('a', 'b'), link('b', 'a')],
  'a symlink without a target': [link('a', '')],
  'a symlink with a NUL': [link('a', 'b\0c')],
  'a file through a symlink': [link('a', 'd'), { name: 'd/' }, { name: 'a/x', data: '1' }],
  'a file through a symlink that comes later': [{ name: 'd/' }, { name: 'a/x', data: '1' }, link('a', 'd')],
  'a file over a symlink': [link('a', 'main.py'), { name: 'a', data: '1' }],
  'a symlink over a symlink': [link('a', 'main.py'), link('a', 'd')],
  'a symlink over a file': [{ name: 'a', data: '1' }, link('a', 'main.py')],
  'a folder over a symlink': [link('a', 'd'), { name: 'a/' }],
  'a file as a folder': [
    { name: 'a', data: '1' },
    { name: 'a/b', data: '1' },
  ],
  'a folder as a file': [{ name: 'a/' }, { name: 'a', data: '1' }],
  'a device': [{ name: 'a', mode: 0o020666 }],
  'a pipe': [{ name: 'a', mode: 0o010666 }],
  'an encrypted file': [{ name: 'a', data: '1', flags: 1 }],
  'an unsupported method': [{ name: 'a', data: '1', method: 12 }],
  'a wrong CRC': [{ name: 'a', data: '12345', crc: 1 }],
  'a wrong CRC, stored': [{ name: 'a', data: '12345', method: 0, crc: 1 }],
  'a wrong CRC of a large file': [{ name: 'a', data: Buffer.alloc(3 * MiB), crc: 1 }],
  'a wrong CRC of a large file, stored': [{ name: 'a', data: Buffer.alloc(3 * MiB), method: 0, crc: 1 }],
  'more bytes than declared': [{ name: 'a', data: 'x'.repeat(10_000), size: 100 }],
  'more bytes than declared, large': [{ name: 'a', data: Buffer.alloc(9 * MiB), size: 2 * MiB }],
  'fewer bytes than declared': [{ name: 'a', data: 'x', size: 100 }],
  'broken compression': [{ name: 'a', data: 'x'.repeat(100), compressedSize: 4 }],
  'a large file that ends early': [{ name: 'a', data: noise(3 * MiB), compressedSize: 2 * MiB }],
  'other names in the local headers': [{ name: 'good.py', localName: 'evil.py', data: '1' }],
  'a local header elsewhere': [{ name: 'a', data: '1', offset: 5 }],
  'a local header behind the end': [{ name: 'a', data: '1', offset: 1 << 30 }],
  'a folder that holds bytes': [{ name: 'a/', data: 'x' }],
};

const tars: Record<string, readonly TarItem[]> = {
  'a NUL in a long name': [{ name: 'x', pax: { path: 'a\0b' }, data: '1' }],
  'a parent in a long name': [{ name: 'x', pax: { path: '../evil' }, data: '1' }],
  'a symlink that is absolute': [{ name: 'a', type: 'symlink', linkname: '/etc' }],
  'a symlink to a parent': [{ name: 'a', type: 'symlink', linkname: '../x' }],
  'a symlink with a long target to a parent': [{ name: 'a', type: 'symlink', pax: { linkpath: '../x' } }],
  'a file through a symlink': [
    { name: 'a', type: 'symlink', linkname: 'd' },
    { name: 'a/x', data: '1' },
  ],
  'a hard link out of the tree': [{ name: 'a', type: 'hardlink', linkname: '/etc/passwd' }],
  'a hard link to a parent': [{ name: 'a', type: 'hardlink', linkname: '../x' }],
  'a hard link to nothing': [{ name: 'a', type: 'hardlink', linkname: 'x' }],
  'a hard link to a symlink that would leave the tree from there': [
    { name: 'd/s', type: 'symlink', linkname: '../main.py' },
    { name: 'a', type: 'hardlink', linkname: 'd/s' },
  ],
  'a hard link through a symlink': [
    { name: 'd/f', data: '1' },
    { name: 's', type: 'symlink', linkname: 'd' },
    { name: 'a', type: 'hardlink', linkname: 's/f' },
  ],
  'a character device': [{ name: 'a', type: 'character-device' }],
  'a block device': [{ name: 'a', type: 'block-device' }],
  'a pipe': [{ name: 'a', type: 'fifo' }],
  'a sparse file of a size beyond the limit': [
    { name: 'a', pax: { 'GNU.sparse.map': '0,1', 'GNU.sparse.size': '99999999999' }, data: 'x' },
  ],
  'a sparse file whose map goes backwards': [
    { name: 'a', pax: { 'GNU.sparse.map': '1,1,0,1', 'GNU.sparse.size': '9' }, data: 'xx' },
  ],
  'a sparse file whose map leaves it': [
    { name: 'a', pax: { 'GNU.sparse.map': '8,2', 'GNU.sparse.size': '9' }, data: 'xx' },
  ],
  'a sparse file with more bytes than its map': [
    { name: 'a', pax: { 'GNU.sparse.map': '0,1', 'GNU.sparse.size': '9' }, data: 'xx' },
  ],
  'a sparse file with half a map': [
    { name: 'a', pax: { 'GNU.sparse.map': '0', 'GNU.sparse.size': '9' }, data: 'xx' },
  ],
  'a sparse file without size': [{ name: 'a', pax: { 'GNU.sparse.map': '0,1' }, data: 'x' }],
  'a sparse file of an unknown version': [
    { name: 'a', pax: { 'GNU.sparse.major': '2', 'GNU.sparse.realsize': '9' }, data: 'x' },
  ],
  'a sparse file with a map of words': [
    { name: 'a', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '9' }, data: 'x\ny\n' },
  ],
  'a part of several volumes': [{ name: 'a', type: 'volume-part', data: 'x' }],
  'a size beyond the end': [{ name: 'a', data: 'x', size: 5000 }],
};

test.each([
  [3, 'a\\b'],
  [19, 'a\\b'],
  [0, 'a/b\\c'],
  [10, 'a/b\\c'],
  [0, '..\\a'],
  [0, 'C:\\a'],
  [0, '\\a'],
])('refuses a zip made on host %d with the name %s', (host, name) =>
  expectRefused(zip([good, { name, data: 'x', host }])),
);

for (const [what, name] of Object.entries(names)) {
  test(`refuses a zip with ${what}`, () => expectRefused(zip([good, { name, data: 'x' }])));
  test(`refuses a tar with ${what}`, () =>
    expectRefused(tar([good, { name: 'x', pax: { path: name }, data: 'x' }])));
}
for (const [what, items] of Object.entries(zips)) {
  test(`refuses a zip with ${what}`, () => expectRefused(zip([good, ...items])));
}
for (const [what, items] of Object.entries(tars)) {
  test(`refuses a tar with ${what}`, () => expectRefused(tar([good, ...items])));
  test(`refuses a tar.gz with ${what}`, () => expectRefused(gzipSync(tar([good, ...items]))));
}

test('refuses an archive cut anywhere', async () => {
  const items = [good, { name: 'b', data: noise(700) }, { name: 'c', data: 'x'.repeat(600) }];
  const plain = tar(items);
  const cuts: Buffer[] = [];
  for (const archive of [zip(items), gzipSync(plain), zstdCompressSync(plain)]) {
    for (let length = 0; length < archive.length; length += 61) cuts.push(archive.subarray(0, length));
    cuts.push(archive.subarray(0, -1));
  }
  for (let length = 0; length <= plain.length - 1024; length += 128) cuts.push(plain.subarray(0, length));
  for (const cut of cuts) await expectRefused(cut);
});

test('refuses what is not an archive', async () => {
  for (const bytes of ['', 'P', '<html></html>', '\x7fELF', 'x'.repeat(2000)])
    await expectRefused(Buffer.from(bytes));
  await expectRefused(gzipSync('x'.repeat(2000)));
  await expectRefused(zstdCompressSync('x'.repeat(2000)));
});

test('refuses an archive that holds no file', async () => {
  const folder = [{ name: 'a/', type: 'directory' as const }];
  for (const archive of [zip([]), tar([]), gzipSync(tar([])), zip([{ name: 'a/' }]), tar(folder)]) {
    await expectRefused(archive);
  }
});

test('refuses a bomb by what it declares, before anything is written', () =>
  expectRefused(zip([{ name: 'a', data: Buffer.alloc(2 * MiB) }]), { maxBytes: MiB }));

test('refuses a bomb that declares little, by what comes out of it', async () => {
  const bomb = zip([{ name: 'a', data: Buffer.alloc(64 * MiB), size: 2 * MiB }]);
  await expectRefused(bomb, { maxBytes: 4 * MiB });
  await expectRefused(gzipSync(tar([{ name: 'a', data: Buffer.alloc(2 * MiB) }])), { maxBytes: MiB });
});

test('refuses a bomb of hard links to one file', () => {
  const links = Array.from({ length: 20 }, (_, i) => ({
    name: `l${i}`,
    type: 'hardlink' as const,
    linkname: 'a',
  }));
  return expectRefused(tar([{ name: 'a', data: noise(MiB) }, ...links]), { maxBytes: 10 * MiB });
});

test('refuses a bomb of one file many times', () => {
  const packed = { name: 'a', data: noise(MiB) };
  return expectRefused(zip(Array.from({ length: 20 }, () => packed)), { maxBytes: 10 * MiB });
});

test('refuses too many entries, folders that are only implied included', async () => {
  await expectRefused(zip(Array.from({ length: 11 }, (_, i) => ({ name: `f${i}` }))), { maxEntries: 10 });
  await expectRefused(zip([{ name: 'a/b/c/d/e/f/g/h/i/j/k' }]), { maxEntries: 10 });
  await expectRefused(tar(Array.from({ length: 11 }, () => ({ name: 'same' }))), { maxEntries: 10 });
});

test('refuses an end record that promises more entries than there are', () =>
  expectRefused(zip([good], { count: 7 })));

test('does not spend long on symlinks that are entangled on purpose', () => {
  const links = Array.from({ length: 3000 }, (_, i) => link(`l${i}`, `${'./'.repeat(400)}main.py`));
  return expectRefused(zip([good, ...links]));
});

/** Refused with 65, and on disk is what was there before. */
async function expectRefused(archive: Uint8Array, options = {}): Promise<void> {
  const directory = workspace();
  await expect(unpack(directory, archive, options)).rejects.toMatchObject({ code: 'damaged', exitCode: 65 });
  expect(readdirSync(directory)).toEqual([]);

  mkdirSync(join(directory, 'bot'));
  writeFileSync(join(directory, 'bot/kept'), 'kept');
  await expect(unpack(directory, archive, options)).rejects.toHaveProperty(
    'hint',
    expect.stringMatching(/\w/),
  );
  expect(tree(directory)).toEqual({ bot: '/', 'bot/kept': 'kept' });
}

function link(name: string, target: string): ZipItem {
  return { name, data: target, mode: 0o120777 };
}

/** Bytes that do not compress, the same each time. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    bytes[i] = x >>> 16;
  }
  return bytes;
}
