import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { executable } from '../../support/process/executable.ts';
import { request } from '../../support/query/queryServer.ts';

/** Answers with its environment and its pid, once there is a file `go` beside it. */
const PROGRAM = `
const server = require('http').createServer((_, response) => {
  response.end(JSON.stringify({ status: 'ok', data: { env: process.env, pid: process.pid } }));
});
const looking = setInterval(() => {
  if (!require('fs').existsSync('go')) return;
  clearInterval(looking);
  server.listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
}, 10);
`;

/** A query server that waits for its bot. */
function aWorker() {
  const child = spawn(executable, ['execute', '--query-server-only', '--pull', '--await-bot'], {
    env: { PATH: process.env.PATH ?? '', LOG_FORMAT: 'json' },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece;
  });
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'close').then(([code]) => code as number);
  const port = async () =>
    await vi.waitFor(
      () => {
        const found = /"query server is listening","port":(\d+)/.exec(said)?.[1];
        if (found === undefined) throw new Error(`it does not listen: ${said}`);
        return Number(found);
      },
      { timeout: 30_000, interval: 20 },
    );
  return { child, exit, port, said: () => said };
}

async function aBot(more: Record<string, string> = {}): Promise<Record<string, string>> {
  const dir = await temporaryDirectory();
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'bot'));
  await mkdir(join(dir, 'store'));
  await writeFile(join(dir, 'bot', 'query.js'), PROGRAM);
  return {
    BOT_ID: 'told',
    RUNTIME: 'nodejs20',
    QUERY_ENTRYPOINT: 'query.js',
    CODE_PATH: join(dir, 'bot'),
    STATE_PATH: join(dir, 'state'),
    LOGS_PATH: join(dir, 'the0', 'logs'),
    STORE_URL: `file://${dir}/store`,
    QUERY_PORT: '0',
    ...more,
  };
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('the bot comes on stdin; who asks whether it is ready may wait for it, and its end is the end of all', async () => {
  const { child, exit, port } = aWorker();
  const bot = await aBot({ BOT_CONFIG: '{"a":1}' });
  child.stdin.write(`${JSON.stringify(bot)}\n`);
  const at = await port();
  expect((await request(at, 'GET', '/_runtime/readyz')).status).toBe(503);
  const waiting = request(at, 'GET', '/_runtime/readyz', { prefer: 'wait=60' });
  await writeFile(join(bot.CODE_PATH!, 'go'), '');
  const ready = await waiting;
  expect([ready.status, ready.text]).toEqual([200, '{"status":"ok","data":{"ready":true}}']);
  const answer = (await request(at, 'GET', '/x')).json() as { data: { env: object; pid: number } };
  expect(answer.data.env).toMatchObject({ BOT_ID: 'told', BOT_CONFIG: '{"a":1}' });
  child.stdin.end();
  expect(await exit).toBe(0);
  expect(isAlive(answer.data.pid)).toBe(false);
});

test('a second bot is the end of it', async () => {
  const { child, exit, port } = aWorker();
  child.stdin.write(`${JSON.stringify(await aBot())}\n`);
  await port();
  child.stdin.write(`${JSON.stringify(await aBot({ BOT_ID: 'second' }))}\n`);
  expect(await exit).toBe(0);
});

test.each([
  ['nothing', '', 69, /ended before a bot came/],
  ['half a line', '{"BOT_ID":"s3cret"', 69, /ended before a bot came/],
  ['no JSON', 's3cret\n', 64, /one line of JSON/],
  ['two at once', '{"BOT_ID":"s3cret"}\n{}\n', 64, /one line of JSON/],
  ['a number', '{"BOT_ID":3}\n', 64, /one line of JSON/],
  ['no bot', '{}\n', 78, /BOT_ID/],
])('%s on stdin: it ends, and repeats nothing of it', async (_what, input, code, words) => {
  const { child, exit, said } = aWorker();
  child.stdin.end(input);
  expect(await exit).toBe(code);
  expect(said()).toMatch(words);
  expect(said()).not.toContain('s3cret');
});

test('a state that cannot be had ends it with the reason, although it listens already', async () => {
  const { child, exit, said } = aWorker();
  const away = {
    STORE_URL: '',
    MINIO_ENDPOINT: '127.0.0.1:9',
    MINIO_ACCESS_KEY: 'k',
    MINIO_SECRET_KEY: 's',
    START_TIMEOUT: '4s',
  };
  child.stdin.write(`${JSON.stringify(await aBot(away))}\n`);
  expect(await exit).toBe(69);
  expect(said()).toMatch(/query server is listening/);
});

test('it goes with --pull alone', async () => {
  const child = spawn(executable, ['execute', '--query-server-only', '--await-bot'], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(64);
});
