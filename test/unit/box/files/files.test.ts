import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBox, type TestBox } from '../../../support/box/startBox.ts';

let box: TestBox;
beforeAll(async () => {
  box = await startBox({ shared: true });
});
afterAll(() => box.end());

const inside = (...words: readonly string[]) => join(box.workspace, ...words);
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
/** What is not whole yet. */
const leftovers = () => readdirSync(box.workspace).filter((name) => name.startsWith('.runtime-upload-'));

test('a file is written, also where there is no folder yet, and read back; paths begin at the workspace', async () => {
  const { client } = box;
  await client.write('a/b/ä ?#%.txt', 'grüße\n');
  expect(await client.read('a/b/ä ?#%.txt')).toBe('grüße\n');
  expect(await client.read(inside('a/b/ä ?#%.txt'))).toBe('grüße\n');
  expect(readFileSync(inside('a/b/ä ?#%.txt'), 'utf8')).toBe('grüße\n');
});

test('bytes that are no text, modes, and what a write leaves as it was', async () => {
  const bytes = Buffer.from([0, 255, 128, 13, 10]);
  const body = { path: 'bin', content: bytes.toString('base64'), encoding: 'base64', mode: '0750' };
  const written = await box.ask('POST', '/files/write', body);
  expect(written.body).toMatchObject({ success: true, data: { hash: sha256(bytes), size: 5 } });
  expect(readFileSync(inside('bin'))).toEqual(bytes);
  expect(statSync(inside('bin')).mode & 0o777).toBe(0o750);
  const read = (encoding?: string) => box.ask('POST', '/files/read', { path: 'bin', encoding });
  expect((await read('base64')).body.data.content).toBe(bytes.toString('base64'));
  expect((await read()).body.data.isBinary).toBe(true);
  await box.client.write('bin', 'text');
  expect(statSync(inside('bin')).mode & 0o777).toBe(0o750);
  await symlink('bin', inside('link'));
  await box.client.write('link', 'by the link');
  expect(lstatSync(inside('link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(inside('bin'), 'utf8')).toBe('by the link');
  expect(leftovers()).toEqual([]);
});

test('what is not there is 404, what is no file 400, what is too large 413; nothing keeps the box waiting', async () => {
  await box.exec('mkfifo pipe; truncate -s 100M large');
  const read = async (path: unknown) => {
    const { status, body } = await box.ask('POST', '/files/read', { path });
    return [status, body.code];
  };
  expect(await read('nowhere')).toEqual([404, 'NOT_FOUND']);
  expect(await read('.')).toEqual([400, 'IS_A_FOLDER']);
  expect(await read('pipe')).toEqual([400, 'VALIDATION_ERROR']);
  expect(await read('/dev/zero')).toEqual([400, 'VALIDATION_ERROR']);
  expect(await read('large')).toEqual([413, 'FILE_TOO_LARGE']);
  for (const path of [undefined, 1, '', 'a\0b']) expect(await read(path)).toEqual([400, 'VALIDATION_ERROR']);
  for (const path of ['.', 'pipe', '/dev/null']) {
    expect((await box.ask('POST', '/files/write', { path, content: 'x' })).status, path).toBe(400);
  }
  expect(
    (await box.ask('POST', '/files/write', { path: 'x', content: '*', encoding: 'base64' })).status,
  ).toBe(400);
  expect((await box.ask('POST', '/files/write', { path: 'x', content: 'a', mode: '9' })).status).toBe(400);
  expect(existsSync(inside('x'))).toBe(false);
});

test('what cannot be written is told by the name that was asked for', async () => {
  // The kernel makes no file there, for whoever asks.
  const refused = await box.ask('POST', '/files/write', { path: '/proc/self/new', content: '' });
  expect(refused).toMatchObject({
    status: 404,
    body: { message: expect.stringMatching(/^\/proc\/\d+\/new: ENOENT$/) },
  });
});

test("the box's own environment is nobody's file, by whatever name", async () => {
  await symlink('/proc/self/environ', inside('innocent'));
  for (const path of [
    '/proc/self/environ',
    `/proc/${box.pid}/environ`,
    '/proc/thread-self/environ',
    '/proc/self/task/../environ',
    'innocent',
    '/proc/self/mem',
  ]) {
    const { status, body } = await box.ask('POST', '/files/read', { path });
    expect([status, body.code], path).toEqual([403, 'FORBIDDEN']);
    expect(
      (
        await box.fetch(
          `/fs/download${path.startsWith('/') ? '' : '/'}${path.startsWith('/') ? path : inside(path)}`,
        )
      ).status,
    ).not.toBe(200);
  }
  // Control: others' are.
  expect((await box.ask('POST', '/files/read', { path: '/proc/version' })).status).toBe(200);
  expect((await box.exec('cat /proc/self/environ')).stdout).not.toContain('token-of-the-box');
});

test('folders: made, listed, told of, removed, with paths pasted into the URL as they are', async () => {
  const { client } = box;
  await client.mkdir(inside('d'));
  expect((await box.ask('POST', `/fs/mkdir${inside('d')}`)).status).toBe(409);
  await client.mkdir(inside('d/e/f g'), true);
  await client.write('d/100%.txt', '12345');
  await client.write('d/.hidden', '');
  await symlink('nowhere', inside('d/dangling'));
  expect((await client.list(inside('d'))).map(({ name }) => name)).toEqual(['100%.txt', 'dangling', 'e']);
  expect((await client.list('d', '?all=true&long=true')).map(({ name }) => name)).toContain('.hidden');
  expect(await client.stat(inside('d/100%.txt'))).toEqual({
    name: '100%.txt',
    path: inside('d/100%.txt'),
    size: 5,
    isDir: false,
    isFile: true,
    isSymlink: false,
    permissions: 0o644,
    owner: expect.any(String),
    group: expect.any(String),
    modTime: expect.stringMatching(/Z$/),
    accessTime: expect.stringMatching(/Z$/),
  });
  expect(await client.stat(inside('d/dangling'))).toMatchObject({ isSymlink: true, isFile: false });
  expect([await client.exists(inside('d/e/f g')), await client.exists(inside('d/dangling'))]).toEqual([
    true,
    false,
  ]);
  expect(await client.exists('/no/such')).toBe(false);
  expect((await box.ask('GET', '/fs/stat/no/such')).status).toBe(404);
  expect((await box.ask('GET', `/fs/list${inside('d/100%25.txt')}`)).body.code).toBe('NOT_A_FOLDER');
  expect((await box.ask('DELETE', `/fs${inside('d')}`)).status).toBe(409);
  await client.remove(inside('d/100%.txt'));
  await client.remove(inside('d'), true);
  expect(existsSync(inside('d'))).toBe(false);
  expect((await box.ask('DELETE', `/fs${inside('d')}`)).status).toBe(404);
  for (const path of [box.workspace, `${box.workspace}/`]) {
    expect((await box.ask('DELETE', `/fs${path}?recursive=true`)).status).toBe(403);
  }
});

test('an upload is multipart under the content type of JSON, of any size; nothing is left of one that fails', async () => {
  const { client } = box;
  const bytes = Buffer.alloc(30_000_000, 'upload\r\n--x\r\n');
  await client.upload(inside('up/load.bin'), bytes);
  expect(sha256(readFileSync(inside('up/load.bin')))).toBe(sha256(bytes));
  expect(sha256(await client.download(inside('up/load.bin')))).toBe(sha256(bytes));
  await client.upload('empty', Buffer.alloc(0));
  expect(statSync(inside('empty')).size).toBe(0);
  const form = (fields: Record<string, string>, content = 'x') => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    data.append('file', new Blob([content]), 'f');
    return box.fetch('/fs/upload', { method: 'POST', body: data });
  };
  expect((await form({ path: 'empty', overwrite: 'false' })).status).toBe(409);
  expect((await form({ path: 'first', permissions: '600' })).status).toBe(200);
  expect(statSync(inside('first')).mode & 0o777).toBe(0o600);
  expect((await form({})).status).toBe(400);
  expect((await form({ path: '.' })).status).toBe(400);
  for (const body of [
    '',
    '{}',
    '--',
    '--b',
    '--b\r\n',
    `--${'b'.repeat(100)}\r\n`,
    '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf',
  ]) {
    expect((await box.fetch('/fs/upload', { method: 'POST', body })).status, body).toBe(400);
  }
  expect(leftovers()).toEqual([]);
  expect((await box.exec('echo well')).stdout).toBe('well\n');
});

test('a download says how long it is, and is none of a folder or of what is not there', async () => {
  await box.client.write('some file', '0123456789');
  const response = await box.fetch(`/fs/download${inside('some file')}`);
  expect([response.headers.get('content-length'), await response.text()]).toEqual(['10', '0123456789']);
  expect((await box.fetch('/fs/download/etc')).status).toBe(400);
  expect((await box.fetch('/fs/download/no/such')).status).toBe(404);
});

test('a time beyond all dates is shown as the last there is', async () => {
  // Where times have 64 bits; few disks keep them.
  const folder = mkdtempSync('/dev/shm/runtime-box-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync('touch', ['-d', '@9000000000000000', join(folder, 'late')]);
  const { status, body } = await box.ask('GET', `/fs/list${folder}`);
  expect(status).toBe(200);
  expect(body.data.entries).toMatchObject([{ name: 'late', modTime: '+275760-09-13T00:00:00.000Z' }]);
});

test('an upload whose client goes away half-way leaves nothing', async () => {
  const head = [
    'POST /fs/upload HTTP/1.1',
    'Host: h',
    'Authorization: Bearer token-of-the-box',
    'Content-Length: 10000000',
    '',
    '--x',
    'Content-Disposition: form-data; name="path"',
    '',
    'half.bin',
    '--x',
    'Content-Disposition: form-data; name="file"; filename="f"',
    '',
    '',
  ];
  for (const length of [1000, 300_000]) {
    const socket = connect(Number(new URL(box.url).port), '127.0.0.1');
    socket.write(head.join('\r\n'));
    socket.write(Buffer.alloc(length, 'half'));
    await expect.poll(leftovers, { timeout: 30_000 }).toHaveLength(1);
    socket.destroy();
    await expect.poll(leftovers, { timeout: 30_000 }).toEqual([]);
  }
  expect(existsSync(inside('half.bin'))).toBe(false);
});

test('the head of a download is its length, without the bytes', async () => {
  await box.client.write('head.txt', 'hello');
  const head = await box.fetch('/fs/downloadhead.txt', { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
});
