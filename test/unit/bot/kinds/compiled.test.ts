import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dotnet8 } from '../../../../src/bot/kinds/dotnet8.ts';
import { mountOf } from '../../../../src/bot/kinds/executable.ts';
import { gcc13 } from '../../../../src/bot/kinds/gcc13.ts';
import { nodejs20 } from '../../../../src/bot/kinds/node/nodejs20.ts';
import { rustStable } from '../../../../src/bot/kinds/rustStable.ts';
import { scala3 } from '../../../../src/bot/kinds/scala3.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import type { Language } from '../../../support/process/builtExample.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';
import { run } from '../../../support/process/launch.ts';

// Compilers take seconds on a busy machine, and longer where they are installed first.
vi.setConfig({ testTimeout: 300_000 });

const languages = join(import.meta.dirname, '../../../../scripts/languages');
const execute = promisify(execFile);

/** Runs a compiler that `scripts/languages` installs where it is missing. */
async function compile(language: Language, ...command: string[]): Promise<void> {
  await execute(languages, ['install', language]);
  await execute(languages, ['run', ...command]);
}

async function buildC(folder: string, ...flags: string[]): Promise<void> {
  await writeFile(
    join(folder, 'bot.c'),
    '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("BOT_ID")); return 3; }\n',
  );
  await execute('gcc', [...flags, '-o', join(folder, 'bot'), join(folder, 'bot.c')]);
}

test('a program built by gcc runs whatever its modes were', async () => {
  const code = await temporaryDirectory();
  await buildC(code);
  await chmod(join(code, 'bot'), 0o4600);
  const request = kindRequest(code, 'bot');
  await gcc13.verify(request);
  expect((await stat(join(code, 'bot'))).mode & 0o7777).toBe(0o755);
  expect(await run(gcc13.launch(request))).toMatchObject({ code: 3, stdout: 'bot-1\n' });
});

test('a program built by rustc runs', async () => {
  const code = await temporaryDirectory();
  await writeFile(
    join(code, 'bot.rs'),
    'fn main() { println!("{}", std::env::current_dir().unwrap().display()); }',
  );
  await compile('rust', 'rustc', '-o', join(code, 'bot'), join(code, 'bot.rs'));
  const request = kindRequest(code, 'bot');
  await rustStable.verify(request);
  expect(await run(rustStable.launch(request))).toMatchObject({ code: 0, stdout: `${code}\n` });
});

test('a script with an interpreter line runs', async () => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot'), '#!/bin/sh\necho "$BOT_ID"\n', { mode: 0o600 });
  const request = kindRequest(code, 'bot');
  await gcc13.verify(request);
  expect(await run(gcc13.launch(request))).toMatchObject({ code: 0, stdout: 'bot-1\n' });
});

test.each([
  ['/bin/sh', 'is not inside the code path'],
  ['../bot', 'is not inside the code path'],
  ['', 'is not inside the code path'],
])('the entrypoint %j is refused by its text', async (entrypoint, message) => {
  await expect(gcc13.launch(kindRequest('/bot', entrypoint))).rejects.toThrow(message);
});

test.each([
  ['tradr', 'Did you mean trader?'],
  ['bot', 'There are: config.json, trader'],
])('the entrypoint %s that is not there is 127: %s', async (entrypoint, hint) => {
  const code = await temporaryDirectory();
  for (const name of ['trader', 'config.json']) await writeFile(join(code, name), '');
  await expect(gcc13.verify(kindRequest(code, entrypoint))).rejects.toMatchObject({ exitCode: 127, hint });
});

test('a link that leaves the code path is 127, and a folder 126', async () => {
  const code = await temporaryDirectory();
  await symlink('/bin/sh', join(code, 'bot'));
  await mkdir(join(code, 'folder'));
  await expect(gcc13.verify(kindRequest(code, 'bot'))).rejects.toMatchObject({ exitCode: 127 });
  await expect(gcc13.verify(kindRequest(code, 'folder'))).rejects.toMatchObject({ exitCode: 126 });
  await expect(nodejs20.verify(kindRequest(code, 'folder'))).rejects.toMatchObject({ exitCode: 126 });
});

test('a link that stays inside is followed', async () => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot-1.2'), '#!/bin/sh\n');
  await symlink('bot-1.2', join(code, 'bot'));
  await gcc13.verify(kindRequest(code, 'bot'));
});

test.each([
  ['print("hello")', /neither an ELF program nor a script/],
  ['#!/bin/sh\r\necho from Windows\r\n', /carriage return/],
  ['#! /usr/bin/env  python3\r\n', /carriage return/],
  ['#!/opt/absent/bin/perl -w\n', /not here: \/opt\/absent\/bin\/perl$/],
])('what the system cannot run is 126 with the reason: %j', async (text, hint) => {
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot'), text);
  await expect(gcc13.verify(kindRequest(code, 'bot'))).rejects.toMatchObject({
    exitCode: 126,
    hint: expect.stringMatching(hint),
  });
});

test('a program for another architecture is 126 naming both', async () => {
  const code = await temporaryDirectory();
  const program = await readFile('/bin/true');
  program.writeUInt16LE(243, 18);
  await writeFile(join(code, 'bot'), program);
  await expect(gcc13.verify(kindRequest(code, 'bot'))).rejects.toMatchObject({
    exitCode: 126,
    hint: expect.stringContaining(`built for riscv64, and this system is ${process.arch}`),
  });
});

test('a program linked for another C library is 126 naming its loader', async () => {
  const code = await temporaryDirectory();
  await buildC(code, '-Wl,--dynamic-linker=/lib/ld-absent-x86_64.so.1');
  await expect(gcc13.verify(kindRequest(code, 'bot'))).rejects.toMatchObject({
    exitCode: 126,
    hint: expect.stringContaining('not here: /lib/ld-absent-x86_64.so.1'),
  });
});

test('a static program needs no loader', async () => {
  const code = await temporaryDirectory();
  await buildC(code, '-static');
  await gcc13.verify(kindRequest(code, 'bot'));
});

test('an ELF header that lies is not a crash', async () => {
  const code = await temporaryDirectory();
  const program = Buffer.alloc(64, 0xff);
  (await readFile('/bin/true')).copy(program, 0, 0, 20);
  await writeFile(join(code, 'bot'), program);
  await gcc13.verify(kindRequest(code, 'bot'));
});

async function canMount(): Promise<boolean> {
  return execute('unshare', ['--mount', 'true']).then(
    () => process.getuid?.() === 0,
    () => false,
  );
}

test.skipIf(!(await canMount()))('on a noexec mount, 126 says how to mount it', async () => {
  const code = await temporaryDirectory();
  await execute('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', code]);
  onTestFinished(async () => {
    await execute('umount', [code]);
  });
  await writeFile(join(code, 'bot'), await readFile('/bin/true'));
  await expect(gcc13.verify(kindRequest(code, 'bot'))).rejects.toMatchObject({
    exitCode: 126,
    hint: expect.stringContaining(`--tmpfs ${code}:exec`),
  });
});

test('the innermost, latest mount counts', () => {
  const mounts = [
    '1 0 8:1 / / rw - ext4 /dev/sda rw',
    '2 1 0:5 / /bot rw,exec - tmpfs tmpfs rw',
    '3 2 0:6 / /bot rw,noexec - tmpfs tmpfs rw',
    '4 1 0:7 / /with\\040space rw - tmpfs tmpfs rw',
  ].join('\n');
  expect(mountOf('/bot/x', mounts)?.options).toContain('noexec');
  expect(mountOf('/bottle/x', mounts)?.point).toBe('/');
  expect(mountOf('/with space/x', mounts)?.point).toBe('/with space');
});

test('a jar is run by its manifest, or by the named class', async () => {
  expect((await scala3.launch(kindRequest('/bot', 'app.jar'))).argv).toEqual([
    'java',
    '-jar',
    '/bot/app.jar',
  ]);
  expect((await scala3.launch(kindRequest('/bot', 'app.jar:my.Main'))).argv).toEqual([
    'java',
    '-cp',
    '/bot/app.jar',
    'my.Main',
  ]);
  await expect(scala3.launch(kindRequest('/bot', 'app.jar:-version'))).rejects.toThrow(
    'does not name a class',
  );
});

test('a jar with a named class runs', async () => {
  const code = await temporaryDirectory();
  await writeFile(
    join(code, 'Main.scala'),
    'object Main { def main(arguments: Array[String]): Unit = System.out.println(System.getenv("BOT_ID")) }',
  );
  await compile('scala', 'scalac', '-d', join(code, 'app.jar'), join(code, 'Main.scala'));
  const request = kindRequest(code, 'app.jar:Main');
  await scala3.verify(request);
  expect(await run(scala3.launch(request))).toMatchObject({ code: 0, stdout: 'bot-1\n' });
});

const dotnet = await execute('dotnet', ['--version']).then(
  () => true,
  () => false,
);
test.skipIf(!dotnet)(
  'C#: an assembly runs (with the .NET 8 SDK on PATH: scripts/test test/unit/kinds/compiled)',
  async () => {
    const code = await temporaryDirectory();
    await execute('dotnet', ['new', 'console', '-n', 'Bot', '-o', code]);
    await execute('dotnet', ['build', code, '-o', join(code, 'out')]);
    const request = kindRequest(code, 'out/Bot.dll');
    await dotnet8.verify(request);
    expect((await run(dotnet8.launch(request))).code).toBe(0);
  },
);
