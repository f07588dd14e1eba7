import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { executable, newContainer, startRuntime } from '../../support/process/executable.ts';
import { startTestServer } from '../../support/query/queryServer.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runtime(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = process.cwd(),
): Promise<Ran> {
  return promisify(execFile)(executable, args, { env: { PATH: process.env.PATH ?? '', ...env }, cwd }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ran) => error,
  );
}

const ECHO = `require('http').createServer((request, response) => {
  const bad = request.url === '/bad';
  response.end(JSON.stringify(bad ? { status: 'error', error: 'no' } : { status: 'ok', data: request.url }));
}).listen(process.env.THE0_QUERY_PORT)`;

test('asks a running bot, in JSON in a pipe', async () => {
  const token = new Secret('t');
  await using server = await startTestServer({ program: ECHO, config: { token } });
  await server.untilReady();
  const url = `http://127.0.0.1:${server.port}`;
  const asked = await runtime(['query', url, '/x', 'a=1', 'b:={"c":2}', '--token', 't']);
  expect(asked).toMatchObject({ code: 0, stdout: '{"status":"ok","data":"/x?a=1&b=%7B%22c%22%3A2%7D"}\n' });
  expect((await runtime(['query', url, '/bad'], { QUERY_TOKEN: 't' })).code).toBe(1);
  const refused = await runtime(['query', url, '/x']);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout).status).toBe('error');
});

test("reads the runtime's own paths as they are", async () => {
  await using server = await startTestServer({ program: ECHO });
  await server.untilReady();
  const url = `http://[::1]:${server.port}`;
  const metrics = await runtime(['query', url, '/_runtime/metrics']);
  expect(metrics.code).toBe(0);
  expect(metrics.stdout).toMatch(/^# TYPE runtime_queries_total counter$/m);
  expect((await runtime(['query', url, '/_runtime/nothing'])).code).toBe(1);
});

test('nobody there is 69, a wrong command line 64', async () => {
  expect(await runtime(['query', 'http://127.0.0.1:9', '/x'])).toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/gave no answer: (bad port|ECONNREFUSED)/),
  });
  expect((await runtime(['query', 'http://127.0.0.1:9'])).code).toBe(64);
  expect((await runtime(['query', 'http://127.0.0.1:9', '/x', 'novalue'])).code).toBe(64);
  expect(await runtime(['query', '127.0.0.1:9', '/x'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('did you mean http://127.0.0.1:9?'),
  });
  expect((await runtime(['query', 'http://127.0.0.1:9', '/x', '--timeout', 'soon'])).code).toBe(64);
  expect(await runtime(['query', './nowhere', '/x'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('there is no folder ./nowhere'),
  });
});

test('where a bot is not known here, the way through a host is said', async () => {
  expect(await runtime(['query', 'my-bot', 'status'], { STORE_URL: 'file:///nowhere' })).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/hint: .*runtime query http:\/\/127\.0\.0\.1:9477\/bots\/my-bot \/status/),
  });
  // Where a store is named, a bare name is never the folder's.
  const cwd = await temporaryDirectory();
  await mkdir(join(cwd, 'my-bot/.runtime/store'), { recursive: true });
  const beside = await runtime(['query', 'my-bot', 'status'], { STORE_URL: 'file:///nowhere' }, cwd);
  expect(beside).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('hint: The bot in the folder is ./my-bot.'),
  });
});

test('an agent is not asked as if it answered queries', async () => {
  const agent = { RUNTIME: 'python3.11', MESSAGE_ENTRYPOINT: 'agent.py', STORE_URL: 'file:///nowhere' };
  expect(await runtime(['query', 'my-agent', 'status'], agent)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('runtime ask my-agent'),
  });
});

test('asks a bot that does not run, from its saved state', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'bot'));
  await writeFile(join(dir, 'bot', 'query.sh'), '');
  const program = `printf '{"status":"ok","data":"%s of %s"}' "$QUERY_PATH" "$BOT_ID" > /query/result.json`;
  const variables = {
    RUNTIME: 'command',
    QUERY_ENTRYPOINT: program,
    CODE_PATH: join(dir, 'bot'),
    STORE_URL: `file://${dir}/store`,
    BOT_USER: process.getuid?.() === 0 ? '0:0' : 'none',
  };
  const asked = await runtime(['query', 'sleeper', 'status'], variables);
  expect(asked.stdout).toBe('{"status":"ok","data":"/status of sleeper"}\n');
  expect(asked.code).toBe(0);
  const told = await runtime(['query', 'sleeper', 'status'], { ...variables, LOG_LEVEL: 'debug' });
  expect(told).toMatchObject({ code: 0, stdout: asked.stdout });
  expect(told.stderr).toContain('configuration read');
});

test.each([
  { how: 'query BOT', args: ['query', 'sleeper', '/x'], env: {} },
  { how: 'QUERY_PATH', args: ['execute'], env: { BOT_ID: 'sleeper', QUERY_PATH: '/x' } },
])('stopped while it pulls, an ephemeral query exits with 143 and says so ($how)', async ({ args, env }) => {
  const store = createServer();
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as { port: number };
  const asked = once(store, 'connection');
  const run = startRuntime(args, {
    ...(await newContainer()).env,
    RUNTIME: 'command',
    ENTRYPOINT: 'true',
    MINIO_ENDPOINT: `127.0.0.1:${port}`,
    MINIO_ACCESS_KEY: 'a',
    MINIO_SECRET_KEY: 's',
    ...env,
  });
  const [connection] = await asked;
  run.child.kill('SIGTERM');
  const { code, stdout } = await run.finished;
  connection.destroy();
  store.close();
  expect({ code, stdout }).toEqual({
    code: 143,
    stdout: '{"status":"error","error":"stopped by SIGTERM"}\n',
  });
});

test('a folder whose bot has not run yet is told as such, and a file as no folder', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'mine'));
  await writeFile(join(dir, 'mine/main.py'), '');
  const ask = (name: string) =>
    promisify(execFile)(executable, ['query', name, '/x'], {
      cwd: dir,
      env: { PATH: process.env.PATH },
    }).then(
      () => ({ code: 0, stderr: '' }),
      (error: Ran) => error,
    );
  expect(await ask('mine')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('No bot has run in the folder mine yet'),
  });
  expect((await ask('other')).stderr).toContain('/bots/other /x');
  expect(await ask('./mine/main.py')).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('there is no folder'),
  });
});

test('why a bot that does not run cannot be asked is on stderr, with what to do, beside the answer', async () => {
  const dir = await temporaryDirectory();
  const yaml = { runtime: 'python3.11', entrypoints: { bot: 'main.py', query: 'qurey.py' } };
  await writeFile(join(dir, 'bot.yaml'), JSON.stringify(yaml));
  await writeFile(join(dir, 'main.py'), '');
  await writeFile(join(dir, 'query.py'), '');
  expect((await runtime(['execute', dir])).code).toBe(0);
  const { code, stdout, stderr } = await runtime(['query', dir, '/x']);
  expect(code).toBe(127);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'error',
    error: expect.stringContaining('qurey.py does not exist'),
  });
  expect(JSON.parse(stderr)).toMatchObject({ level: 'error', hint: 'Did you mean query.py?' });
});

test('a path with a query string asks a bot that does not run what it would ask a running one', async () => {
  const dir = await temporaryDirectory();
  const say = `printf '{"status":"ok","data":"%s %s"}' "$QUERY_PATH" "$QUERY_PARAM_limit"`;
  const yaml = {
    runtime: 'command',
    entrypoints: { bot: 'true', query: `${say} > /query/result.json || ${say}` },
  };
  await writeFile(join(dir, 'bot.yaml'), JSON.stringify(yaml));
  expect((await runtime(['execute', dir])).code).toBe(0);
  const asked = async (...args: string[]) => JSON.parse((await runtime(['query', dir, ...args])).stdout).data;
  expect(await asked('/x?limit=10&a=b')).toBe('/x 10');
  expect(await asked('/x?limit=10', 'limit=3')).toBe('/x 3');
  expect(await asked('/x')).toBe('/x ');
});
