import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createWriteStream,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { exportTar } from '../../../../../src/bot/state/read/exportTar.ts';
import { signal, TestBot } from '../support/bot.ts';
import { treeOf } from '../support/treeOf.ts';

/** Names, times and modes that a plain ustar header cannot have. */
const make = `
import os
def mk(name, ns, mode=0o644):
    open(name, 'wb').write(b'x'); os.chmod(name, mode); os.utime(name, ns=(ns, ns))
mk('old', -86400 * 365 * 5 * 10**9); mk('oldfrac', -500_000_000 - 86400 * 10**9)
mk('minus1', -1_000_000_000); mk('minus-half', -500_000_000); mk('y2040', 2208988800 * 10**9 + 123456000)
mk('y2110', 4417977600 * 10**9 + 5000, 0o600); mk('y2200', 7258118400 * 10**9)
mk('ü' * 60, 1_600_000_000_123_456_000, 0o755); mk('l' * 200, 1_600_000_000 * 10**9)
mk(b'bad\\xff', 1_600_000_000 * 10**9); mk(b'\\xff' * 120, 1_600_000_000 * 10**9)
deep = '/'.join(['dir' * 30, 'sub' * 30]); os.makedirs(deep); mk(deep + '/' + 'f' * 99, 1000)
`;

const list = `
import os, sys, tarfile
for m in sorted(tarfile.open(sys.argv[1]), key=lambda m: os.fsencode(m.name)):
    print(repr(os.fsencode(m.name)), m.type, oct(m.mode), round(m.mtime * 1e6), m.size, repr(os.fsencode(m.linkname)))
`;
const expected = `
import os, stat, sys
rows = []
for folder, names, files in os.walk(os.fsencode(sys.argv[1])):
    for name in names + files:
        path = os.path.join(folder, name); s = os.lstat(path); link = stat.S_ISLNK(s.st_mode)
        if name == b'.runtime-sync': continue
        kind = b'2' if link else b'5' if stat.S_ISDIR(s.st_mode) else b'0'
        rows.append((os.path.relpath(path, os.fsencode(sys.argv[1])), kind, oct(s.st_mode & 0o7777), s.st_mtime_ns // 1000,
            s.st_size if kind == b'0' else 0, os.readlink(path) if link else b''))
for row in sorted(rows): print(repr(row[0]), row[1], *row[2:5], repr(row[5]))
`;

const python = (code: string, args: string[], cwd?: string) =>
  execFileSync('/usr/bin/python3', ['-c', code, ...args], { encoding: 'utf8', ...(cwd && { cwd }) });

test.each([true, false])(
  'GNU tar and Python read what is exported: names, times, modes and bytes (gzip: %s)',
  async (gzip) => {
    await using bot = await TestBot.open();
    const { dir, publisher } = await bot.start('a');
    python(make, [], dir);
    symlinkSync('l'.repeat(200), join(dir, 'link'));
    writeFileSync(join(dir, 'large'), Buffer.alloc(2_500_000, 'large'));
    truncateSync(join(dir, 'large'), 4_000_000);
    await publisher.publish({ signal });
    const path = bot.dir('export');
    const output = createWriteStream(path);
    await exportTar(bot.context(), { sequence: undefined, output, gzip, signal });
    output.end();
    await finished(output);

    expect(python(list, [path])).toBe(python(expected, [dir]));
    mkdirSync(bot.dir('x'));
    const told = execFileSync('sh', ['-c', 'tar -xpf "$1" -C "$2" 2>&1', 'sh', path, bot.dir('x')], {
      encoding: 'utf8',
    });
    // It says so of what is not an error, too.
    expect(told.split('\n').filter((line) => !/implausibly old|in the future|^$/.test(line))).toEqual([]);
    expect(treeOf(bot.dir('x'))).toEqual(treeOf(dir));
    expect(readFileSync(join(bot.dir('x'), 'large')).equals(readFileSync(join(dir, 'large')))).toBe(true);
  },
);

test('nothing in an archive, whose owner is root, runs as its owner', async () => {
  await using bot = await TestBot.open();
  const { dir, publisher } = await bot.start('a');
  const file = join(dir, 'program');
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o6755);
  await publisher.publish({ signal });
  const path = bot.dir('export');
  const output = createWriteStream(path);
  await exportTar(bot.context(), { sequence: undefined, output, gzip: false, signal });
  output.end();
  await finished(output);
  expect(python(list, [path])).toContain("b'program' b'0' 0o755 ");
});
