import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { openEventBus } from '../../../../../src/protocol/tangle/events/eventBus.ts';
import { openFileStore } from '../../../../../src/store/file/file.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { frontTest } from '../../../../support/serve/frontTest.ts';
import { modelSandboxes } from '../../../../support/serve/modelSandboxes.ts';
import { signal, TestBot } from '../../../bot/state/support/bot.ts';

/**
 * A sandbox with two snapshots in a real store, and a server that answers `POST /_runtime/publish` in the container's place: it says what
 * `published` says, after `publish` has been called.
 */
async function withDisk(policy?: string) {
  const folder = await temporaryDirectory();
  const store = openFileStore(join(folder, 'store'), 'bot-state');
  const bot = await TestBot.open(() => store, 'sb-1');
  onTestFinished(() => bot[Symbol.asyncDispose]());
  const { dir, publisher } = await bot.start('disk');
  mkdirSync(join(dir, 'src/deep'), { recursive: true });
  writeFileSync(join(dir, 'src/main.py'), 'one');
  writeFileSync(join(dir, 'src/deep/blob'), Buffer.alloc(200_000, 0xff));
  writeFileSync(join(dir, '.hidden'), 'h');
  symlinkSync('main.py', join(dir, 'src/link'));
  await publisher.publish({ signal });
  writeFileSync(join(dir, 'src/main.py'), 'two');
  await publisher.publish({ signal });

  const asked: string[] = [];
  let answer: { status: number; body: object } = {
    status: 200,
    body: { status: 'ok', data: { sequence: 2 } },
  };
  const server = createServer((request, response) => {
    if (request.url !== '/_runtime/publish') return void response.writeHead(404).end('{}');
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const sandboxes = modelSandboxes(async () => connect((server.address() as AddressInfo).port, '127.0.0.1'));
  const front = await frontTest({ folder, sandboxes, policy });
  await front.ask('POST', '/v1/sandboxes', { env: { A: 'b' }, resources: { memoryMB: 256 } });
  await sandboxes.until('sb-1', ['running'], AbortSignal.timeout(10_000));
  return {
    ...front,
    sandboxes,
    store,
    folder,
    asked,
    setAnswer: (next: typeof answer) => (answer = next),
    dir,
    publisher,
  };
}

const get = (url: string) => fetch(url, { headers: { authorization: 'Bearer sk_test' } });

test('the files of one that does not run are read from the store, by the paths of the API inside', async () => {
  const { ask, url, sandboxes } = await withDisk();
  sandboxes.set('sb-1', { status: 'stopped' });
  const runtime = '/v1/sandboxes/sb-1/runtime';
  const read = async (path: string, encoding?: string) =>
    (await ask('POST', `${runtime}/files/read`, { path, encoding })).body;
  expect(await read('src/main.py')).toMatchObject({
    success: true,
    data: { content: 'two', size: 3, snapshot: 2 },
  });
  expect((await read('/workspace/src/main.py', 'base64')).data.content).toBe(
    Buffer.from('two').toString('base64'),
  );
  expect((await read('src/deep/blob')).data).toMatchObject({ isBinary: true, size: 200_000 });
  expect((await ask('POST', `${runtime}/files/read`, { path: '/etc/passwd' })).status).toBe(403);
  expect((await ask('POST', `${runtime}/files/read`, { path: 'src/../../etc/passwd' })).status).toBe(403);
  expect((await ask('POST', `${runtime}/files/read`, { path: 'nothing' })).status).toBe(404);
  expect((await ask('POST', `${runtime}/files/read`, { path: 'src' })).status).toBe(409);
  const names = async (path: string) =>
    (await ask('GET', `${runtime}${path}`)).body.data.entries
      .map(({ name }: { name: string }) => name)
      .sort();
  expect(await names('/fs/list/workspace')).toEqual(['src']);
  expect(await names('/fs/list/workspace?all')).toEqual(['.hidden', 'src']);
  expect(await names('/fs/list/workspace/src')).toEqual(['deep', 'link', 'main.py']);
  expect((await ask('GET', `${runtime}/fs/stat/workspace/src/link`)).body.data).toMatchObject({
    isSymlink: true,
    isFile: false,
    target: 'main.py',
    path: '/workspace/src/link',
  });
  expect((await ask('GET', `${runtime}/fs/exists/workspace/none`)).body.data.exists).toBe(false);
  const blob = await get(`${url}${runtime}/fs/download/workspace/src/deep/blob`);
  expect(blob.headers.get('content-length')).toBe('200000');
  expect(Buffer.from(await blob.arrayBuffer())).toEqual(Buffer.alloc(200_000, 0xff));
  const archive = await get(`${url}${runtime}/fs/download-dir/workspace/src`);
  const tar = gunzipSync(Buffer.from(await archive.arrayBuffer())).toString('latin1');
  expect(tar).toContain('deep/blob');
  expect(tar).not.toContain('src/deep');
  // Whatever else it is asked needs it to run.
  expect((await ask('POST', `${runtime}/files/write`, { path: 'x', content: '' })).body).toMatchObject({
    code: 'INVALID_STATE',
    currentState: 'stopped',
  });
});

test('a disk is read as it is, as a snapshot has it, and as it was when something happened', async () => {
  const { ask, folder } = await withDisk();
  const main = async (query: string) => await ask('GET', `/v1/sandboxes/sb-1/disk/read/src/main.py${query}`);
  expect((await main('')).body.data).toMatchObject({ content: 'two', snapshot: 2 });
  expect((await main('?snapshot=1')).body.data).toMatchObject({ content: 'one', snapshot: 1 });
  expect((await main('?snapshot=sb-1@1')).body.data.content).toBe('one');
  expect((await main('?snapshot=9')).status).toBe(404);
  expect((await main('?snapshot=other@1')).status).toBe(404);
  // What the container tells, as `followInside` writes it down.
  const log = openEventBus({ folder: join(folder, 'events'), instance: 'test', now: Date.now }).of(
    'sandboxes',
    'sb-1',
  );
  const first = log.lastId;
  log.append([
    { type: 'file.changed', data: { path: 'a' } },
    { type: 'snapshot.created', data: { sequence: 1 } },
    { type: 'file.changed', data: { path: 'b' } },
    { type: 'snapshot.created', data: { sequence: 2 } },
  ]);
  expect((await main(`?event=${first + 1}`)).status).toBe(404);
  expect((await main(`?event=${first + 3}`)).body.data.content).toBe('one');
  expect((await main(`?event=${first + 4}`)).body.data.content).toBe('two');
  expect((await main('?event=x')).status).toBe(400);
});

test('a file of a disk has the names that it has inside, and its short one; a policy of folders holds for each', async () => {
  const policy = join(await temporaryDirectory(), 'policy.yaml');
  writeFileSync(policy, 'default: {tools: [files], files: [/workspace/src/deep, /workspace/workspace]}');
  const names = ['src/main.py', 'workspace/src/main.py', '/workspace/src/main.py', 'home/user/src/main.py'];
  const open = await withDisk();
  for (const name of names) {
    const { body } = await open.ask('GET', `/v1/sandboxes/sb-1/disk/read/${name}`);
    expect(body.data, name).toMatchObject({ path: '/workspace/src/main.py', content: 'two' });
  }
  for (const name of ['', '/', '/workspace', '/workspace/'])
    expect((await open.ask('GET', `/v1/sandboxes/sb-1/disk/list${name}`)).body.data.entries).toHaveLength(1);
  expect((await open.ask('GET', '/v1/sandboxes/sb-1/disk/read/workspace/workspace/src/main.py')).status).toBe(
    404,
  );
  await open.close();
  const held = await withDisk(policy);
  const status = async (name: string) =>
    (await held.ask('GET', `/v1/sandboxes/sb-1/disk/stat/${name}`)).status;
  expect(await status('src/deep/blob')).toBe(200);
  expect(await status('workspace/src/deep/blob')).toBe(200);
  for (const name of names) {
    const refused = await held.ask('GET', `/v1/sandboxes/sb-1/disk/read/${name}`);
    expect(refused, name).toMatchObject({ status: 403, body: { code: 'POLICY_DENIED' } });
    expect(refused.body.violations).toMatchObject([{ rule: 'files', asked: '/workspace/src/main.py' }]);
  }
});

test('a snapshot is a publish that is kept: it outlives what is saved after it, and its sandbox', async () => {
  const { ask, asked, dir, publisher, sandboxes, store } = await withDisk();
  expect((await ask('POST', '/v1/sandboxes/sb-1/snapshot', { paths: ['/etc'] })).status).toBe(400);
  // As the SDK's own examples ask for it: what has to be in it.
  const wanted = { tags: ['good'], paths: ['/workspace/src', '/home/user/src', '/workspace'] };
  const made = await ask('POST', '/v1/sandboxes/sb-1/snapshot', wanted);
  expect(made).toMatchObject({
    status: 201,
    body: {
      snapshotId: expect.stringMatching(/^snp-/),
      sequence: 2,
      tags: ['good'],
      paths: ['/workspace'],
      kept: true,
    },
  });
  expect(asked).toEqual(['POST /_runtime/publish Bearer publish-of-sb-1']);
  const { snapshotId } = made.body;
  for (let n = 0; n < 6; n += 1) {
    writeFileSync(join(dir, 'src/main.py'), `later ${n}`);
    await publisher.publish({ signal });
  }
  const list = (await ask('GET', '/v1/sandboxes/sb-1/snapshots')).body.snapshots;
  expect(list.filter(({ kept }: { kept: boolean }) => kept)).toEqual([made.body]);
  // The state itself has forgotten that one.
  expect(list.some((each: { snapshotId: string }) => each.snapshotId === 'sb-1@2')).toBe(false);
  const read = await ask('GET', `/v1/sandboxes/sb-1/disk/read/src/main.py?snapshot=${snapshotId}`);
  expect(read.body.data.content).toBe('two');
  const fork = await ask('POST', '/v1/sandboxes/sb-1/fork', {
    checkpointId: snapshotId,
    name: 'other',
    env: { C: 'd' },
  });
  expect(fork).toMatchObject({
    status: 201,
    body: { sandbox: { id: 'sb-2', name: 'other', resources: { memoryMB: 256 } } },
  });
  expect(sandboxes.asked.at(-1)).toMatchObject({ from: { sandbox: snapshotId }, env: { A: 'b', C: 'd' } });
  await ask('DELETE', '/v1/sandboxes/sb-1');
  const begun = await ask('POST', '/v1/sandboxes', { fromSnapshot: snapshotId });
  expect(begun.status).toBe(201);
  expect(sandboxes.asked.at(-1)).toMatchObject({ from: { sandbox: snapshotId, sequence: undefined } });
  expect((await ask('POST', '/v1/sandboxes', { fromSnapshot: 'snp-none' })).status).toBe(404);
  expect((await store.head(`${snapshotId}/head`)).size).toBeGreaterThan(0);
  expect((await ask('GET', '/v1/snapshots')).body.snapshots).toEqual([made.body]);
  expect((await ask('DELETE', `/v1/snapshots/${snapshotId}`)).status).toBe(200);
  expect((await ask('DELETE', `/v1/snapshots/${snapshotId}`)).status).toBe(404);
  await expect(store.head(`${snapshotId}/head`)).rejects.toMatchObject({ code: 'not-found' });
});

test('a snapshot that cannot be saved is none, and what is left of one that was cut off goes', async () => {
  const { ask, close, folder, sandboxes, setAnswer, store } = await withDisk();
  setAnswer({ status: 200, body: { status: 'ok', data: { sequence: 77 } } });
  // The sandbox says that it is saved, and the store has no such snapshot: it is not said to be one.
  const lost = await ask('POST', '/v1/sandboxes/sb-1/snapshot');
  expect(lost.status).toBe(503);
  expect((await ask('GET', '/v1/sandboxes/sb-1/checkpoints')).body.checkpoints).toEqual([]);
  setAnswer({ status: 200, body: { status: 'ok', data: { sequence: 2 } } });
  const { checkpointId } = (await ask('POST', '/v1/sandboxes/sb-1/checkpoints', { leaveRunning: true })).body;
  expect(sandboxes.find('sb-1')?.status).toBe('running');
  await close();
  // As a server that is killed in between leaves it.
  const [name] = readdirSync(join(folder, 'snapshots'));
  const path = join(folder, 'snapshots', name!);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"state":"kept"', '"state":"making"'));
  const next = await frontTest({ folder, sandboxes });
  await expect.poll(() => readdirSync(join(folder, 'snapshots')), { timeout: 20_000 }).toEqual([]);
  await expect(store.head(`${checkpointId}/head`)).rejects.toMatchObject({ code: 'not-found' });
  expect((await next.ask('GET', '/v1/sandboxes/sb-1/checkpoints')).body.checkpoints).toEqual([]);
  // Answered when it has stopped: whoever resumes it then must not find it still running.
  const { stop } = sandboxes;
  const slowly: typeof stop = async (id, cause) => {
    setTimeout(() => void stop(id, cause), 50);
    return sandboxes.find(id)!;
  };
  Object.assign(sandboxes, { stop: slowly });
  const stopped = await next.ask('POST', '/v1/sandboxes/sb-1/checkpoints', { tags: ['x'] });
  const says = { hasMemoryState: false, hasFilesystemSnapshot: true };
  expect(stopped).toMatchObject({ status: 201, body: says });
  expect((await next.ask('GET', '/v1/sandboxes/sb-1/checkpoints')).body.checkpoints).toMatchObject([says]);
  expect(sandboxes.find('sb-1')?.status).toBe('stopped');
  expect(
    (await next.ask('DELETE', `/v1/sandboxes/sb-1/checkpoints/${stopped.body.checkpointId}`)).status,
  ).toBe(200);
  expect(
    (await next.ask('DELETE', `/v1/sandboxes/sb-1/checkpoints/${stopped.body.checkpointId}`)).status,
  ).toBe(404);
  expect((await next.ask('GET', '/v1/system/criu-status')).body).toMatchObject({ available: false });
});
