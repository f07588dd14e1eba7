import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

const inside = (...words: readonly string[]) => join(box.workspace, ...words);
/** What is not whole yet. */
const leftovers = () => readdirSync(box.workspace).filter((name) => name.startsWith('.runtime-upload-'));

test('a folder goes out and comes in as tar.gz, whole', async () => {
  const { client } = box;
  await mkdir(inside('tree/deep/er'), { recursive: true });
  await writeFile(inside('tree/deep/er/file'), Buffer.alloc(300_000, 'abc'));
  await writeFile(inside('tree/run.sh'), '#!/bin/sh\n');
  await chmod(inside('tree/run.sh'), 0o755);
  await symlink('deep/er/file', inside('tree/link'));
  await mkdir(inside('tree/empty'));
  const archive = await client.downloadDir(inside('tree'));
  await client.uploadDir(inside('copy'), archive as Buffer<ArrayBuffer>);
  execFileSync('diff', ['-r', '--no-dereference', inside('tree'), inside('copy')]);
  expect(statSync(inside('copy/run.sh')).mode & 0o777).toBe(0o755);
  expect(existsSync(inside('copy/empty'))).toBe(true);
  // As other tars make it, over what is there.
  await writeFile(inside('copy/own'), 'stays');
  await writeFile(inside('copy/run.sh'), 'old');
  const other = execFileSync('tar', ['-czf', '-', '-C', inside('tree'), '.'], { maxBuffer: 1e8 });
  await client.uploadDir('copy', Buffer.from(other));
  expect(readFileSync(inside('copy/run.sh'), 'utf8')).toBe('#!/bin/sh\n');
  expect(readFileSync(inside('copy/own'), 'utf8')).toBe('stays');
  expect((await box.fetch('/fs/download-dir/no/such')).status).toBe(404);
  expect((await box.fetch(`/fs/download-dir${inside('copy/own')}`)).status).toBe(400);
  expect(leftovers()).toEqual([]);
});

test('names that are not UTF-8 are listed, and go out and come in as the bytes that they are', async () => {
  const names = [Buffer.from('caf\xe9', 'latin1'), Buffer.from('caf\xe8', 'latin1'), Buffer.from('ü\n%41')];
  await mkdir(inside('bytes'));
  const below = (folder: string, ...words: Buffer[]) =>
    Buffer.concat([Buffer.from(inside(folder)), ...words.flatMap((word) => [Buffer.from('/'), word])]);
  await mkdir(below('bytes', Buffer.from([0xff])));
  for (const name of names) await writeFile(below('bytes', name), name);
  await writeFile(below('bytes', Buffer.from([0xff]), Buffer.from([0xfe])), 'deep');
  await symlink(names[0]!, below('bytes', Buffer.from([0xfd])));
  const listed = await box.ask('GET', `/fs/list${inside('bytes')}`);
  expect(listed.body.data.entries.map(({ name }: { name: string }) => name).sort()).toEqual(
    ['caf\ufffd', 'caf\ufffd', 'ü\n%41', '\ufffd', '\ufffd'].sort(),
  );
  const archive = await box.client.downloadDir(inside('bytes'));
  await box.client.uploadDir(inside('bytes-again'), archive as Buffer<ArrayBuffer>);
  const bytesIn = (folder: Buffer) =>
    readdirSync(folder, { encoding: 'buffer' })
      .map((name) => name.toString('latin1'))
      .sort();
  expect(bytesIn(below('bytes-again'))).toEqual(bytesIn(below('bytes')));
  for (const name of names) expect(readFileSync(below('bytes-again', name))).toEqual(name);
  expect(readFileSync(below('bytes-again', Buffer.from([0xff]), Buffer.from([0xfe])), 'utf8')).toBe('deep');
  expect(readFileSync(below('bytes-again', Buffer.from([0xfd])))).toEqual(names[0]);
  // And another reader takes it as it is.
  await mkdir(inside('bytes-tar'));
  execFileSync('tar', ['-xzf', '-', '-C', inside('bytes-tar')], { input: archive });
  expect(bytesIn(below('bytes-tar'))).toEqual(bytesIn(below('bytes')));
});

test('an archive that would lead out of its folder, or is none, is refused', async () => {
  const upload = async (bytes: Buffer) => {
    const data = new FormData();
    data.append('archive', new Blob([bytes as Buffer<ArrayBuffer>]), 'a.tar.gz');
    data.append('path', 'jail/in');
    return (await box.fetch('/fs/upload-dir', { method: 'POST', body: data })).status;
  };
  const make = (script: string) =>
    execFileSync('/usr/bin/python3', [
      '-c',
      `${MAKE}\n${script}\nt.close(); sys.stdout.buffer.write(out.getvalue())`,
    ]);
  expect(await upload(make('add("fine", b"1")'))).toBe(200);
  await mkdir(inside('jail/outside'), { recursive: true });
  await symlink('../outside', inside('jail/in/way'));
  for (const script of [
    'add("../evil", b"1")',
    'add("/tmp/../evil", b"1")',
    'add("a/../../evil", b"1")',
    'add("way/evil", b"1")',
    'link("l", "/etc"); add("l/evil", b"1"); add("way/evil", b"1")',
    'hard("h", "../../../etc/passwd")',
    'hard("h", "way/x")',
    'device("d")',
  ]) {
    expect(await upload(make(script)), script).toBe(400);
  }
  // A symlink comes last: what is named after it is a folder of its own, which the link then may not take the place of.
  expect(await upload(make('link("l", "/tmp"); add("l/evil", b"1")'))).toBe(400);
  expect(await upload(Buffer.from('no archive at all'))).toBe(400);
  expect(await upload(make('add("big", b"1" * 100000)').subarray(0, 60))).toBe(400);
  expect(readdirSync(inside('jail/outside'))).toEqual([]);
  expect(existsSync(inside('jail/evil'))).toBe(false);
  expect(existsSync('/tmp/evil')).toBe(false);
});

/** Archives that no honest tar makes. */
const MAKE = `
import io, sys, tarfile
out = io.BytesIO()
t = tarfile.open(fileobj=out, mode='w:gz')
def info(name, kind, target=''):
    i = tarfile.TarInfo(name); i.type = kind; i.linkname = target; return i
def add(name, data):
    i = info(name, tarfile.REGTYPE); i.size = len(data); t.addfile(i, io.BytesIO(data))
def link(name, target): t.addfile(info(name, tarfile.SYMTYPE, target))
def hard(name, target): t.addfile(info(name, tarfile.LNKTYPE, target))
def device(name): t.addfile(info(name, tarfile.CHRTYPE))
`;
