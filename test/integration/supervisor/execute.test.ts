import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { collect } from '../../support/collect.ts';
import { containerBots } from '../../support/container/containerBots.ts';
import { vendoredSdk } from '../../support/container/the0Sdk.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { newContainer, runRuntime, startRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';
import { minioClient, startMinio } from '../../support/store/minio.ts';
import { readSaved } from '../../support/store/readSaved.ts';
import { testBucket } from '../../support/store/testBucket.ts';

const minio = inject('minio');
const bots = await containerBots(minio);
const python = { kind: 'python3.11', entrypoint: 'main.py' };
const counter = `
import os, pathlib
def main(bot_id, config):
    file = pathlib.Path(os.environ["STATE_DIR"], "runs")
    file.parent.mkdir(parents=True, exist_ok=True)
    runs = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(runs))
    print(f"{bot_id} run {runs} step {config.get('step')}", flush=True)
`;

test('a Python bot goes on in a new container from what the last one left', async () => {
  const env = await bots.deploy({ ...python, files: { 'main.py': counter }, config: { step: 3 } });
  const state = testBucket('state');
  for (const run of [1, 2, 3]) {
    const container = await newContainer();
    const end = await runRuntime(['execute'], { ...env, ...container.env, MINIO_STATE_BUCKET: state });
    expect(end.stderr).toBe('');
    expect(end).toMatchObject({ code: 0, stdout: `${env.BOT_ID} run ${run} step 3\n` });
    expect(await container.exitRecord()).toMatchObject({
      source: 'bot',
      code: 0,
      signal: null,
      exit: 0,
      stateSaved: true,
      logsSaved: true,
    });
    expect(await readFile(join(container.root, 'the0', 'done'), 'utf8')).toBe('0\n');
  }
  const objects = await collect(minioClient(minio).listObjectsV2(state, `${env.BOT_ID}/`, true));
  expect(objects.map(({ name }) => name)).toEqual([`${env.BOT_ID}/head`]);
});

test('a Node bot is called the same way', async () => {
  const source =
    'exports.main = async (id, config) => { console.log(id, config.step); console.error("to stderr"); };';
  const env = await bots.deploy({
    kind: 'nodejs20',
    entrypoint: 'main.js',
    files: { 'main.js': source },
    config: { step: 4 },
  });
  const end = await runRuntime(['execute'], { ...env, ...(await newContainer()).env });
  expect(end).toMatchObject({ code: 0, stdout: `${env.BOT_ID} 4\n`, stderr: 'to stderr\n' });
});

test('the published SDK keeps its state across two lives', async () => {
  const source = `
from the0 import parse, state, success
bot_id, config = parse()
runs = state.get("runs", 0) + 1
state.set("runs", runs)
state.set("portfolio", {"BTC": runs * 0.5})
print("runs", runs, state.get("portfolio"))
success("done")
`;
  const files = { ...(await vendoredSdk()), 'main.py': source };
  const env = await bots.deploy({ ...python, files });
  const first = await newContainer();
  expect(await runRuntime(['execute'], { ...env, ...first.env })).toMatchObject({
    code: 0,
    stdout: "runs 1 {'BTC': 0.5}\n",
  });
  const second = await newContainer();
  expect(await runRuntime(['execute'], { ...env, ...second.env })).toMatchObject({
    code: 0,
    stdout: "runs 2 {'BTC': 1.0}\n",
  });
  expect(await readdir(join(second.root, 'state', '.the0-state'))).toEqual(['portfolio.json', 'runs.json']);
});

test('/bin/true as a bot: nothing to pull, nothing to save, and all of it in order', async () => {
  const container = await newContainer();
  const { CODE_FILE: _, ...env } = await bots.deploy({ kind: 'command', entrypoint: '/bin/true', files: {} });
  expect(await runRuntime(['execute'], { ...env, ...container.env })).toEqual({
    code: 0,
    signal: null,
    stdout: '',
    stderr: '',
  });
  expect(await container.exitRecord()).toMatchObject({ source: 'bot', exit: 0, stateSaved: true });
});

test("the bot's own code is the exit code", async () => {
  const container = await newContainer();
  const env = await bots.deploy({ kind: 'command', entrypoint: 'exit 42', files: { 'a.txt': '' } });
  expect((await runRuntime(['execute'], { ...env, ...container.env })).code).toBe(42);
  expect(await container.exitRecord()).toMatchObject({ source: 'bot', code: 42, exit: 42 });
});

test('a bot that a signal ends: 128+n, and what it wrote is saved', async () => {
  const container = await newContainer();
  const env = await bots.deploy({
    kind: 'command',
    entrypoint: 'echo half > "$(dirname "$STATE_DIR")/half"; kill -KILL $$',
    files: { 'a.txt': '' },
  });
  expect((await runRuntime(['execute'], { ...env, ...container.env })).code).toBe(137);
  expect(await container.exitRecord()).toMatchObject({
    source: 'bot',
    code: null,
    signal: 'SIGKILL',
    exit: 137,
    stateSaved: true,
  });
  const again = await bots.deploy({
    kind: 'command',
    entrypoint: 'cat "$(dirname "$STATE_DIR")/half"',
    files: { 'a.txt': '' },
    botId: env.BOT_ID,
  });
  expect(await runRuntime(['execute'], { ...again, ...(await newContainer()).env })).toMatchObject({
    stdout: 'half\n',
  });
});

test('SIGTERM: the bot may finish, what it wrote then is saved, and its exit is ours', async () => {
  const source = `
import time, pathlib, os
def main():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        pathlib.Path(os.environ["STATE_DIR"]).parent.joinpath("last").write_text("words")
`;
  const env = await bots.deploy({ ...python, files: { 'main.py': source } });
  const container = await newContainer();
  const run = startRuntime(['execute'], { ...env, ...container.env });
  await run.prints('ready');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
  const reader = await bots.deploy({
    kind: 'command',
    entrypoint: 'cat "$(dirname "$STATE_DIR")/last"',
    files: { a: '' },
    botId: env.BOT_ID,
  });
  expect((await runRuntime(['execute'], { ...reader, ...(await newContainer()).env })).stdout).toBe('words');
});

test('the state is saved while the bot runs', async () => {
  const env = await bots.deploy({
    kind: 'command',
    entrypoint: 'echo one > "$(dirname "$STATE_DIR")/file"; echo written; exec sleep 60',
    files: { a: '' },
  });
  const run = startRuntime(['execute'], { ...env, ...(await newContainer()).env, SYNC_INTERVAL: '500ms' });
  await run.prints('written');
  const reader = { ...env, ENTRYPOINT: 'cat "$(dirname "$STATE_DIR")/file"' };
  await expect.poll(() => readSaved(minio, env.BOT_ID, 'file'), { timeout: 20_000 }).toBe('one\n');
  run.child.kill('SIGKILL');
  expect((await runRuntime(['execute'], { ...reader, ...(await newContainer()).env })).stdout).toBe('one\n');
});

test('a state that cannot be read stops the start', async () => {
  const env = await bots.deploy({ ...python, files: { 'main.py': counter } });
  expect((await runRuntime(['execute'], { ...env, ...(await newContainer()).env })).code).toBe(0);
  await minioClient(minio).putObject('bot-state', `${env.BOT_ID}/head`, 'not a head');
  const container = await newContainer();
  const end = await runRuntime(['execute'], { ...env, ...container.env });
  expect(end).toMatchObject({ code: 65, stdout: '' });
  expect(end.stderr).toContain('head');
  expect(await container.exitRecord()).toMatchObject({ source: 'runtime', exit: 65 });
});

test('no such code: 66, and the message names it', async () => {
  const env = {
    ...(await bots.deploy({ ...python, files: { 'main.py': counter } })),
    CODE_FILE: 'not/there.zip',
  };
  const end = await runRuntime(['execute'], { ...env, ...(await newContainer()).env });
  expect(end).toMatchObject({ code: 66, stdout: '' });
  expect(end.stderr).toContain('not/there.zip');
});

test('no such entrypoint: 127', async () => {
  const env = {
    ...(await bots.deploy({ ...python, files: { 'main.py': counter } })),
    ENTRYPOINT: 'absent.py',
  };
  const end = await runRuntime(['execute'], { ...env, ...(await newContainer()).env });
  expect(end.code).toBe(127);
  expect(end.stderr).toContain('absent.py');
});

test('a parameter that nothing fills: 78 before main runs', async () => {
  const source = 'def main(bot_id, exchange):\n    print("ran")\n';
  const env = await bots.deploy({ ...python, files: { 'main.py': source } });
  const container = await newContainer();
  const end = await runRuntime(['execute'], { ...env, ...container.env });
  expect(end).toMatchObject({ code: 78, stdout: '' });
  expect(end.stderr).toContain('exchange');
  expect(await container.exitRecord()).toMatchObject({ source: 'runtime', exit: 78 });
});

test('wrong credentials: 69 at once, with a hint and without the secret', async () => {
  const env = await bots.deploy({ ...python, files: { 'main.py': counter } });
  const wrong = { ...env, MINIO_SECRET_KEY: 'not-the-secret-at-all' };
  const end = await runRuntime(['execute'], { ...wrong, ...(await newContainer()).env });
  expect(end).toMatchObject({ code: 69, stdout: '' });
  expect(end.stderr).toMatch(/MINIO_SECRET_KEY/);
  expect(end.stderr).not.toContain('not-the-secret-at-all');
});

test('MinIO down at the start and up 5 s later: the start waits and succeeds', async () => {
  const port = await freePort();
  const late = await startMinio({ port, start: false });
  try {
    const run = startRuntime(['execute'], {
      ...late.env(),
      ...(await newContainer()).env,
      BOT_ID: 'late',
      RUNTIME: 'command',
      ENTRYPOINT: 'echo started',
    });
    await sleep(5000);
    expect(run.stdout()).toBe('');
    expect(run.child.exitCode).toBe(null);
    await late.start();
    expect(await run.finished).toMatchObject({ code: 0, stdout: 'started\n' });
  } finally {
    await late.stop();
  }
});

test('a store that never comes: 69 when START_TIMEOUT is over', async () => {
  const port = await freePort();
  const end = await runRuntime(['execute'], {
    MINIO_ENDPOINT: `127.0.0.1:${port}`,
    MINIO_ACCESS_KEY: 'a',
    MINIO_SECRET_KEY: 'b',
    ...(await newContainer()).env,
    BOT_ID: 'never',
    RUNTIME: 'command',
    ENTRYPOINT: 'echo started',
    START_TIMEOUT: '1s',
  });
  expect(end).toMatchObject({ code: 69, stdout: '' });
});

test('a stop while pulling: 143, and the bot never runs', async () => {
  const port = await freePort();
  const container = await newContainer();
  const run = startRuntime(['execute'], {
    MINIO_ENDPOINT: `127.0.0.1:${port}`,
    MINIO_ACCESS_KEY: 'a',
    MINIO_SECRET_KEY: 'b',
    ...container.env,
    BOT_ID: 'stopped',
    RUNTIME: 'command',
    ENTRYPOINT: 'echo started',
  });
  await expect.poll(run.stderr, { timeout: 20_000 }).toContain('trying again');
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 143, stdout: '' });
  expect(await container.exitRecord()).toMatchObject({ source: 'runtime', exit: 143 });
});

test('every problem of the configuration at once: 78', async () => {
  const end = await runRuntime(['execute'], {
    BOT_ID: '../up',
    RUNTIME: 'pyhton3.11',
    SYNC_INTERVAL: 'soon',
    MINIO_SECRET_KEY: 'hush-hush',
  });
  expect(end.code).toBe(78);
  for (const word of ['BOT_ID', 'RUNTIME', 'python3.11', 'ENTRYPOINT', 'SYNC_INTERVAL', 'MINIO_ENDPOINT']) {
    expect(end.stderr).toContain(word);
  }
  expect(end.stderr).not.toContain('hush-hush');
});

test('the wrong manifest of the kind is told with everything else, and a LOGS_PATH that is refused is not a place', async () => {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'kinds.d'));
  await writeFile(join(dir, 'kinds.d/x.yaml'), 'id: X\n');
  const wrong = { SYNC_INTERVAL: 'soon', LOGS_PATH: 'logs', BOT_TYPE: 'x' };
  const env = { KINDS_PATH: join(dir, 'kinds.d'), RUNTIME: 'X', ...wrong };
  const end = await runRuntime(['execute'], { ...env, IS_SCHEDULED: 'true' }, dir);
  expect(end.code).toBe(78);
  for (const word of ['x.yaml:1: argv', 'BOT_ID', 'ENTRYPOINT', 'SYNC_INTERVAL', 'LOGS_PATH', 'BOT_TYPE=']) {
    expect(end.stderr.split(word)).toHaveLength(2);
  }
  expect(await readdir(dir)).toEqual(['kinds.d']);
});

test('the bot sees none of the credentials', async () => {
  const env = await bots.deploy({ kind: 'command', entrypoint: 'env', files: { a: '' } });
  const end = await runRuntime(['execute'], {
    ...env,
    ...(await newContainer()).env,
    QUERY_TOKEN: 'token-1',
    MINE: 'yes',
  });
  expect(end.code).toBe(0);
  for (const secret of [minio.accessKey, minio.secretKey, 'token-1'])
    expect(end.stdout).not.toContain(secret);
  expect(end.stdout).toContain('MINE=yes');
  expect(end.stdout).toContain(`BOT_ID=${env.BOT_ID}`);
});

test('/dev/stdout and /dev/stderr can be opened by name', async () => {
  const env = await bots.deploy({
    kind: 'command',
    entrypoint: 'echo out > /dev/stdout; echo err > /dev/stderr',
    files: { a: '' },
  });
  const end = await runRuntime(['execute'], { ...env, ...(await newContainer()).env });
  expect(end).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('a start without a configuration: exit.json tells of it and not of an earlier life', async () => {
  const container = await newContainer();
  const env = await bots.deploy({ kind: 'command', entrypoint: 'true', files: { a: '' } });
  expect((await runRuntime(['execute'], { ...env, ...container.env })).code).toBe(0);
  const end = await runRuntime(['execute'], { ...env, ...container.env, SYNC_INTERVAL: 'soon' });
  expect(end.code).toBe(78);
  expect(await container.exitRecord()).toMatchObject({ source: 'runtime', exit: 78 });
  for (const line of end.stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level', 'error');
});
