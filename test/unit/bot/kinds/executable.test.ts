import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { checkMode, makeExecutable } from '../../../../src/bot/kinds/executable.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const execute = promisify(execFile);

/** Why `bytes` cannot be run; undefined: they can. */
async function problemOf(bytes: Uint8Array | string, cwd?: string): Promise<string | undefined> {
  const code = cwd ?? (await temporaryDirectory());
  const path = join(code, 'bot');
  await writeFile(path, bytes);
  try {
    makeExecutable(path, code);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'not-executable', exitCode: 126 });
    return (error as { hint: string }).hint;
  }
}

async function built(...flags: string[]): Promise<Buffer> {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'bot.c'), 'char kept[70000] = {1};\nint main(void) { return kept[0] + 4; }\n');
  await execute('gcc', [...flags, '-o', join(folder, 'bot'), join(folder, 'bot.c')]);
  return readFile(join(folder, 'bot'));
}

/** How many bytes the kernel maps, as readelf has it. */
async function mappedBytes(program: Buffer): Promise<number> {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'bot'), program);
  const { stdout } = await execute('readelf', ['-lW', join(folder, 'bot')]);
  const ends = stdout
    .split('\n')
    .filter((line) => /^ {2}(LOAD|INTERP) /.test(line))
    .map((line) => line.trim().split(/\s+/))
    .map(([, offset, , , length]) => Number(offset) + Number(length));
  return Math.max(...ends);
}

test.each([['dynamic'], ['-static'], ['-static-pie'], ['-s']])(
  'a program (%s) that is cut short is told at any length, and runs where only its sections are cut',
  async (flag) => {
    const program = await built(...(flag === 'dynamic' ? [] : [flag]));
    const needed = await mappedBytes(program);
    expect(needed).toBeLessThan(program.length);
    const lengths = [4, 5, 19, 20, 63, 64, 100, 200, 1000, 4095, 4096, 40_000, needed - 1];
    const code = await temporaryDirectory();
    for (const length of lengths) {
      const hint = await problemOf(program.subarray(0, length), code);
      expect(hint, String(length)).toMatch(
        new RegExp(`^It is cut short: it has ${length} bytes, .* at least \\d+`),
      );
      expect(hint).not.toMatch(/\p{Cc}/u);
    }
    expect(await problemOf(program.subarray(0, needed - 1), code)).toContain(`at least ${needed}.`);
    for (const length of [needed, program.length]) {
      expect(await problemOf(program.subarray(0, length), code)).toBeUndefined();
      expect(spawnSync(join(code, 'bot')).status).toBe(5);
    }
    expect(await problemOf(Buffer.concat([program, Buffer.alloc(99_999)]), code)).toBeUndefined();
    expect(spawnSync(join(code, 'bot')).status).toBe(5);
  },
);

test('headers and loader at the end of the file, where patchelf puts them, are found there', async () => {
  const program = await built();
  const table = Number(program.readBigUInt64LE(32));
  const bytes = program.readUInt16LE(56) * 56;
  const moved = Buffer.concat([
    program,
    program.subarray(table, table + bytes),
    Buffer.from('/absent/ld.so\0'),
  ]);
  moved.writeBigUInt64LE(BigInt(program.length), 32);
  for (let at = program.length; at < program.length + bytes; at += 56) {
    if (moved.readUInt32LE(at) !== 3) continue;
    moved.writeBigUInt64LE(BigInt(program.length + bytes), at + 8);
    moved.writeBigUInt64LE(14n, at + 32);
  }
  expect(await problemOf(moved)).toBe(
    'It was linked for a system with a loader that is not here: /absent/ld.so',
  );
  expect(await problemOf(moved.subarray(0, moved.length - 1))).toContain('cut short');
  expect(await problemOf(moved.subarray(0, program.length + 10))).toContain('cut short');
});

/** A program of 32 bits with one segment, the whole of it. */
function small32(order: 'LE' | 'BE', machine: number, length: number): Buffer {
  const program = Buffer.alloc(length);
  program.write('\x7fELF', 'latin1');
  program.set([1, order === 'LE' ? 1 : 2, 1], 4);
  const short = (value: number, at: number) => program[`writeUInt16${order}`](value, at);
  const word = (value: number, at: number) => program[`writeUInt32${order}`](value, at);
  short(2, 16);
  short(machine, 18);
  word(52, 28);
  short(32, 42);
  short(1, 44);
  word(1, 52);
  word(length, 52 + 16);
  return program;
}

test('32 bits have their own layout, and another architecture is named first, however short it is', async () => {
  const program = small32('LE', 3, 3000);
  if (process.arch === 'x64') {
    expect(await problemOf(program)).toBeUndefined();
    expect(await problemOf(program.subarray(0, 70))).toContain('at least 84.');
  }
  expect(await problemOf(small32('BE', 8, 3000))).toContain('It was built for machine 8');
  expect(await problemOf(small32('BE', 8, 3000).subarray(0, 40))).toContain('It was built for machine 8');
});

test('a page that a packer says and that begins in the file is not missing', async () => {
  const whole = await built('-static');
  const needed = await mappedBytes(whole);
  const program = whole.subarray(0, needed);
  const table = Number(program.readBigUInt64LE(32));
  const places = Array.from({ length: program.readUInt16LE(56) }, (_, index) => table + index * 56);
  const ends = (at: number) => Number(program.readBigUInt64LE(at + 8) + program.readBigUInt64LE(at + 32));
  const last = places.find((at) => program.readUInt32LE(at) === 1 && ends(at) === needed)!;
  const extend = (bytes: number) => {
    const longer = program.readBigUInt64LE(last + 32) + BigInt(bytes);
    program.writeBigUInt64LE(longer, last + 32);
    if (longer > program.readBigUInt64LE(last + 40)) program.writeBigUInt64LE(longer, last + 40);
  };
  extend(4095 - (needed % 4096));
  const code = await temporaryDirectory();
  expect(await problemOf(program, code)).toContain('cut short');
  program.writeBigUInt64LE(0n, 40);
  expect(await problemOf(program, code)).toBeUndefined();
  expect(spawnSync(join(code, 'bot')).status).toBe(5);
  extend(4096);
  expect(await problemOf(program, code)).toContain('cut short');
});

test('a header that names no segment is damaged', async () => {
  const program = await built();
  program.writeUInt16LE(0, 56);
  expect(await problemOf(program)).toContain('damaged');
});

test('an option of Perl may end with CR, as Perl takes it', async () => {
  const code = await temporaryDirectory();
  expect(await problemOf('#!/usr/bin/perl -w\r\nexit 6;\r\n', code)).toBeUndefined();
  expect(spawnSync(join(code, 'bot')).status).toBe(6);
});

test('what gcc makes that is no program', async () => {
  expect(await problemOf(await built('-c'))).toContain('object file');
  expect(await problemOf(await built('-shared', '-fPIC'))).toContain('shared library');
});

test.each<[string, Uint8Array | string, RegExp]>([
  ['nothing', '', /^It is empty/],
  ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n', /Git LFS/],
  ['a program of Windows', Buffer.from('MZ\x90\0\x03', 'latin1'), /built for Windows/],
  ['a program of macOS', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1]), /built for macOS/],
  ['one for two Macs', Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2]), /built for macOS/],
  [
    'a class of Java',
    Buffer.from([0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61]),
    /neither an ELF program nor a script/,
  ],
  ['a mark before #!', '\ufeff#!/bin/sh\n', /byte order mark/],
  ['an empty #!', '#!\necho no\n', /names no interpreter/],
  ['blanks after #!', '#! \t \necho no\n', /names no interpreter/],
  ['NULs after #!', '#!\0\0\0\0', /names no interpreter/],
  ['an option of a shell with CR', '#!/bin/sh -e\r\nexit 6\r\n', /carriage return/],
  ['an option of Python with CR', '#! /usr/bin/env -S python3.11 -u\r\n', /carriage return/],
  ['no interpreter', '#!/absent/perl\n', /names an interpreter that is not here: \/absent\/perl$/],
  ['a data file as interpreter', '#!/etc/passwd\n', /an interpreter that is not executable: \/etc\/passwd$/],
  ['a folder as interpreter', '#!/etc -x\n', /an interpreter that is a folder: \/etc$/],
  ['a device as interpreter', '#!/dev/null\n', /an interpreter that is not a file: \/dev\/null$/],
  [
    'an interpreter without a path',
    '#!python3 -u\n',
    /python3 without its path: write #!\/usr\/bin\/env python3$/,
  ],
])('%s is 126 with the reason', async (_, bytes, hint) => {
  expect(await problemOf(bytes)).toMatch(hint);
});

test('an interpreter with a relative path is looked for where the bot runs, as the kernel does', async () => {
  const code = await temporaryDirectory();
  await mkdir(join(code, 'bin'));
  await symlink('/bin/sh', join(code, 'bin/shell'));
  expect(await problemOf('#!bin/shell\nexit 6\n', code)).toBeUndefined();
  expect(spawnSync(join(code, 'bot'), { cwd: code }).status).toBe(6);
  expect(await problemOf('#!bin/absent\n', code)).toContain('not here');
});

test('the first line is read as far as the kernel reads it', async () => {
  const code = await temporaryDirectory();
  const folder = join(code, 'x'.repeat(200));
  await mkdir(folder);
  const longest = join(folder, 'y'.repeat(253 - folder.length - 1));
  await symlink('/bin/sh', longest);
  await symlink('/bin/sh', `${longest}z`);
  expect(await problemOf(`#!${longest}\nexit 6\n`, code)).toBeUndefined();
  expect(spawnSync(join(code, 'bot')).status).toBe(6);
  expect(await problemOf(`#!${longest}z\nexit 6\n`, code)).toContain('longer than the 255 bytes');
  // Negative control: the kernel takes no such script. The C library would give it to /bin/sh, whatever language it is in.
  const word = 'import os, sys; os.execv(sys.argv[1], ["bot"])';
  const { stderr } = spawnSync('python3.11', ['-c', word, join(code, 'bot')], { encoding: 'utf8' });
  expect(stderr).toContain('Exec format error');
});

test('without touching it: a mode that could be changed is no problem, one that could not is', async () => {
  const path = join(await temporaryDirectory(), 'bot');
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o600);
  checkMode(path, () => true, false);
  checkMode(path, () => false, true);
  expect(() => checkMode(path, () => false, false)).toThrow('cannot be run by this system');
});

test.skipIf(process.getuid?.() !== 0)('a program that may only be executed runs', async () => {
  const code = await temporaryDirectory();
  await chmod(code, 0o755);
  const path = join(code, 'bot');
  await writeFile(path, '#!/bin/sh\nexit 6\n');
  await chmod(path, 0o711);
  process.seteuid!(1000);
  try {
    // Negative control: it cannot be read.
    expect(() => readFileSync(path)).toThrow('EACCES');
    makeExecutable(path, code);
  } finally {
    process.seteuid!(0);
  }
});
