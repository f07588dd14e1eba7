import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBox } from '../../../support/box/startBox.ts';

/** Nobody, where we may be anybody. */
const uid = process.getuid?.() === 0 ? 65_534 : undefined;

test("files are opened with the user's own rights: what is closed to it is 403", async () => {
  const box = await startBox(uid === undefined ? {} : { uid });
  const { workspace, client } = box;
  expect((await box.exec('id -u')).stdout).toBe(`${uid ?? process.getuid?.()}\n`);
  for (const [method, path, body] of [
    ['POST', '/files/read', { path: '/etc/shadow' }],
    ['POST', '/files/write', { path: '/etc/runtime-box-test', content: '' }],
    ['POST', '/fs/mkdir/etc/runtime-box-test', undefined],
    ['DELETE', '/fs/etc/hostname', undefined],
    ['GET', '/fs/download/etc/shadow', undefined],
    ['GET', '/fs/list/root', undefined],
  ] as const) {
    const answer = await box.ask(method, path, body);
    expect([answer.status, answer.body.code], path).toEqual([403, 'FORBIDDEN']);
  }
  // A folder in which nothing can be made, and a file there that may be written to.
  const folder = join(workspace, 'closed');
  await mkdir(folder);
  await writeFile(join(folder, 'open'), 'a long text that was there');
  await chmod(join(folder, 'open'), 0o666);
  await chmod(folder, 0o555);
  await client.write('closed/open', 'short');
  expect(readFileSync(join(folder, 'open'), 'utf8')).toBe('short');
  expect((await box.ask('POST', '/files/write', { path: 'closed/new', content: '' })).status).toBe(403);
  await chmod(folder, 0o755);
});
