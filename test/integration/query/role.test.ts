import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FromQueryServer, ToQueryServer } from '../../../src/agent/process/messages.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { CODE_MARKER } from '../../../src/bot/code/codeMarker.ts';
import { vendoredSdk } from '../../support/container/the0Sdk.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { executable } from '../../support/process/executable.ts';
import { request } from '../../support/query/queryServer.ts';

interface Role {
  readonly child: ChildProcess;
  readonly port: number;
  readonly events: FromQueryServer[];
  tell(message: ToQueryServer): void;
}

/** A directory that the program's user can reach, with these files under `bot/`. */
async function botDirectory(files: Record<string, string>): Promise<string> {
  const dir = await temporaryDirectory();
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'state', '.the0-state'), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, 'bot', path)), { recursive: true });
    await writeFile(join(dir, 'bot', path), text);
  }
  return dir;
}

function environment(dir: string, variables: Record<string, string>): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    BOT_ID: 'role',
    BOT_TYPE: 'realtime',
    CODE_PATH: join(dir, 'bot'),
    STATE_PATH: join(dir, 'state'),
    LOGS_PATH: join(dir, 'the0', 'logs'),
    STORE_URL: `file://${dir}/store`,
    QUERY_PORT: '0',
    LOG_FORMAT: 'json',
    ...variables,
  };
}

/** The role as the supervisor starts it. */
async function startRole(dir: string, variables: Record<string, string>): Promise<Role> {
  const child = spawn(executable, ['execute', '--query-server-only'], {
    env: environment(dir, variables),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  // Not SIGKILL: it is to end its program as well.
  onTestFinished(() => void child.kill('SIGTERM'));
  const events: FromQueryServer[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message) => {
      const told = message as FromQueryServer;
      if (told.type === 'ready') resolve(told.port);
      else events.push(told);
    });
    child.once('exit', (code) => reject(new Error(`the role ended with ${code}`)));
  });
  return { child, port, events, tell: (message) => void child.send(message) };
}

async function untilReady(port: number): Promise<void> {
  while ((await request(port, 'GET', '/_runtime/readyz')).status !== 200) await systemClock.sleep(20);
}

const PYTHON = `
from the0 import query, state

@query.handler("/count")
def count(request):
    return {"count": state.get("count", 0), "by": request.get("by", "nobody")}

@query.handler("/write")
def write(request):
    state.set("count", 666)

query.run()
`;

test('the published Python SDK as a server sees the state as it is now, and cannot change it', async () => {
  const dir = await botDirectory({ 'query.py': PYTHON, ...(await vendoredSdk()) });
  const file = join(dir, 'state', '.the0-state', 'count.json');
  await writeFile(file, '1');
  const { port, tell } = await startRole(dir, { RUNTIME: 'python3.11', QUERY_ENTRYPOINT: 'query.py' });
  expect((await request(port, 'GET', '/_runtime/readyz')).status).toBe(503);
  tell({ type: 'bot', running: true });
  await untilReady(port);
  const first = await request(port, 'GET', '/count?by=a%20b');
  expect(first.text).toBe('{"status": "ok", "data": {"count": 1, "by": "a b"}}');
  await writeFile(file, '2');
  const second = await request(port, 'POST', '/count', {}, '{"by":"body"}');
  expect(second.json()).toEqual({ status: 'ok', data: { count: 2, by: 'body' } });
  expect((await request(port, 'GET', '/none')).status).toBe(404);
  if (process.getuid?.() !== 0) return;
  expect((await request(port, 'GET', '/write')).status).toBe(500);
  expect(await readFile(file, 'utf8')).toBe('2');
});

test('a Node program listens, and has no credentials', async () => {
  const program = `require('http').createServer((request, response) => {
    response.end(JSON.stringify({ status: 'ok', data: process.env }));
  }).listen(process.env.THE0_QUERY_PORT);`;
  const dir = await botDirectory({ 'query.js': program });
  const secrets = {
    QUERY_TOKEN: 't0ken',
    MINIO_ENDPOINT: '127.0.0.1:9',
    MINIO_ACCESS_KEY: 'acce55',
    MINIO_SECRET_KEY: 's3cret',
  };
  const variables = { RUNTIME: 'nodejs20', QUERY_ENTRYPOINT: 'query.js', STORE_URL: '', ...secrets };
  const { port, tell } = await startRole(dir, variables);
  tell({ type: 'bot', running: true });
  const headers = { authorization: 'Bearer t0ken' };
  while ((await request(port, 'GET', '/_runtime/readyz', headers)).status !== 200)
    await systemClock.sleep(20);
  const { text, json } = await request(port, 'GET', '/env', headers);
  for (const secret of ['t0ken', 'acce55', 's3cret']) expect(text).not.toContain(secret);
  expect(json().data).toMatchObject({ BOT_TYPE: 'realtime', BOT_ID: 'role', ENTRYPOINT_TYPE: 'query' });
});

const QUIET = `exec ${process.execPath} -e 'require("http").createServer((q, r) => r.end(String(process.pid))).listen(process.env.THE0_QUERY_PORT)'`;

test('tells what it was told; a server that is started again goes on with the same ids', async () => {
  const dir = await botDirectory({ x: '' });
  const variables = { RUNTIME: 'command', QUERY_ENTRYPOINT: QUIET };
  const event = (id: number) =>
    ({
      type: 'event',
      id,
      event: { type: 'file.changed', at: new Date(id).toISOString(), data: { id } },
    }) as const;
  const report = {
    generation: 3,
    sequence: 9,
    at: '2026-01-01T00:00:00.000Z',
    files: 1,
    bytes: 4096,
    uploadedBytes: 100,
    durationMs: 50,
    frozenMs: 20,
    consistent: true,
  };
  for (let life = 0; life < 2; life += 1) {
    const { port, tell, child } = await startRole(dir, variables);
    tell({ type: 'life', startedAt: '2025-12-31T00:00:00.000Z', botPid: process.pid, generation: 3 });
    for (const id of [41, 42, 43]) tell(event(id));
    tell({ type: 'published', report });
    tell({ type: 'logs', lagMs: 1500 });
    while ((await request(port, 'GET', '/_runtime/info')).json().lastPublish === null)
      await systemClock.sleep(10);
    expect((await request(port, 'GET', '/_runtime/info')).json()).toMatchObject({
      bot: 'role',
      kind: 'command',
      type: 'realtime',
      startedAt: '2025-12-31T00:00:00.000Z',
      lastPublish: report,
    });
    const { text } = await request(port, 'GET', '/_runtime/metrics');
    for (const line of [
      'runtime_last_publish_bytes 4096',
      'runtime_last_publish_duration_seconds 0.05',
      'runtime_frozen_seconds_total 0.02',
      'runtime_generation 3',
    ])
      expect(text).toContain(`${line}\n`);
    for (const name of ['supervisor', 'bot'])
      expect(text).toMatch(
        new RegExp(`^runtime_process_resident_memory_bytes\\{process="${name}"\\} \\d+$`, 'm'),
      );

    const response = await fetch(`http://127.0.0.1:${port}/_runtime/events`, {
      headers: { 'last-event-id': '42' },
    });
    let seen = '';
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      seen += piece;
      if (seen.includes('"id":43')) break;
    }
    expect(seen.match(/^id: .*$/gm)).toEqual(['id: 43']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
});

test('ends with its supervisor, and its program with it', async () => {
  const dir = await botDirectory({ x: '' });
  const { port, child, tell } = await startRole(dir, { RUNTIME: 'command', QUERY_ENTRYPOINT: QUIET });
  tell({ type: 'bot', running: true });
  await untilReady(port);
  const answer = await request(port, 'GET', '/');
  const pid = Number(/\d+/.exec(String(answer.json().error))?.[0]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  expect(await ended).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow();
});

test('beside the bot it waits for the code that the other container unpacks, and runs what it unpacks later', async () => {
  const dir = await botDirectory({ 'query.js': QUIET });
  const variables = { RUNTIME: 'command', QUERY_ENTRYPOINT: QUIET, CODE_FILE: 'some.zip', QUERY_PORT: '0' };
  const child = spawn(executable, ['execute', '--query-server-only'], {
    env: environment(dir, variables),
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr!.on('data', (text: Buffer) => {
    said += text;
  });
  const portIn = (text: string) => /"port":(\d+)/.exec(text)?.[1];
  await expect.poll(() => portIn(said)).toBeDefined();
  const port = Number(portIn(said));
  const marker = (complete: boolean, sha256 = 'x') =>
    JSON.stringify({ version: 1, complete, sha256, names: [] });
  await writeFile(join(dir, 'bot', CODE_MARKER), marker(false));
  await systemClock.sleep(500);
  expect((await request(port, 'GET', '/_runtime/readyz')).status).toBe(503);
  const unpacked = async (sha256: string) => {
    await writeFile(join(dir, 'bot', 'fresh'), marker(true, sha256));
    await rename(join(dir, 'bot', 'fresh'), join(dir, 'bot', CODE_MARKER));
  };
  await unpacked('x');
  await untilReady(port);
  const pid = async () => String((await request(port, 'GET', '/')).json().error);
  const first = await pid();
  await unpacked('y');
  await expect
    .poll(async () => (await pid()) !== first && /answered "\d+"/.test(await pid()), { timeout: 20_000 })
    .toBe(true);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
