import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { vendoredSdk } from '../support/container/the0Sdk.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('bots in containers', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  test('a container without a bot ends with 78 and says what is missing', async () => {
    const { exit, stderr } = await runContainer({ image: image.tag });
    expect(exit).toBe(78);
    expect(stderr).toContain('BOT_ID');
  });

  test('a Python bot and a Node bot run and have their output passed through', async () => {
    const python = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': 'def main(config):\n    print(f"python got {config[\'pair\']}")\n' },
      config: { pair: 'BTC/USD' },
    });
    const node = await bots.deploy({
      kind: 'nodejs20',
      entrypoint: 'main.js',
      files: { 'main.js': 'exports.main = (id, config) => console.log("node got", config.pair);\n' },
      config: { pair: 'BTC/USD' },
    });
    const ended = await Promise.all([python, node].map((env) => runContainer({ image: image.tag, env })));
    expect(ended.map(({ exit, stdout }) => [exit, stdout])).toEqual([
      [0, 'python got BTC/USD\n'],
      [0, 'node got BTC/USD\n'],
    ]);
  });

  test('a compiled bot runs whatever modes its archive has, and its exit code is the container’s', async () => {
    const source =
      '#include <stdio.h>\n#include <stdlib.h>\nint main() { puts(getenv("BOT_TYPE")); return 42; }\n';
    const env = await bots.deploy({
      kind: 'gcc13',
      entrypoint: 'build/bot',
      files: { 'build/bot': { content: await compile(source), mode: 0o600 } },
    });
    const { exit, stdout, exitRecord } = await runContainer({ image: image.tag, env });
    expect({ exit, stdout }).toEqual({ exit: 42, stdout: 'scheduled\n' });
    expect(exitRecord).toMatchObject({ source: 'bot', code: 42, signal: null, exit: 42, stateSaved: true });
  });

  test('a bot of /bin/true is saved like any other', async () => {
    const env = await bots.deploy({
      kind: 'rust-stable',
      entrypoint: 'bot',
      files: { bot: await readFile('/bin/true') },
    });
    const { exit, exitRecord } = await runContainer({ image: image.tag, env });
    expect(exit).toBe(0);
    expect(exitRecord).toMatchObject({ source: 'bot', code: 0, exit: 0, stateSaved: true, logsSaved: true });
    expect(await bots.keys('bot-state', `${env.BOT_ID}/`)).toContain(`${env.BOT_ID}/head`);
  });

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: hardened },
  ])('a bot on the published SDK goes on where its last container stopped ($how)', async ({ options }) => {
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': countsRuns, ...(await vendoredSdk()) },
    });
    const lives = [];
    for (let life = 0; life < 2; life += 1)
      lives.push(await runContainer({ image: image.tag, env, ...options }));
    expect(lives.map(({ exit, stdout }) => [exit, stdout])).toEqual([
      [0, 'run 1\n'],
      [0, 'run 2\n'],
    ]);
    expect(await bots.keys('bot-state', `${env.BOT_ID}/`)).toContain(`${env.BOT_ID}/head`);
    expect((await bots.keys('bot-logs', `logs/${env.BOT_ID}/`)).length).toBeGreaterThan(0);
  });

  test('a compiled bot on a tmpfs runs when that is mounted exec, and is told so when not', async () => {
    const env = await bots.deploy({
      kind: 'rust-stable',
      entrypoint: 'bot',
      files: { bot: await readFile('/bin/true') },
    });
    const refused = await runContainer({ image: image.tag, env, ...hardened });
    expect(refused.exit).toBe(126);
    expect(refused.stderr).toContain('noexec');
    const tmpfs = hardened.tmpfs?.map((path) => (path === '/bot' ? '/bot:exec' : path)) ?? [];
    expect((await runContainer({ image: image.tag, env, ...hardened, tmpfs })).exit).toBe(0);
  });

  test('docker stop lets the bot clean up and saves what it wrote last', async () => {
    const stopped = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': writesWhenStopped },
    });
    await using container = await startContainer({ image: image.tag, env: stopped });
    await container.waitForOutput('running');
    await container.stop(30);
    const { exit, exitRecord } = await container.ended();
    expect(exit).toBe(143);
    expect(exitRecord).toMatchObject({ exit: 143, stateSaved: true, logsSaved: true });

    const next = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': 'print(open("/state/last").read())\n' },
      botId: stopped.BOT_ID,
    });
    expect((await runContainer({ image: image.tag, env: next })).stdout).toBe('cleaned up\n');
  });

  test('a bot that eats its memory is reported as out of memory, and its state is saved', async () => {
    const env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': 'eaten = []\nwhile True:\n    eaten.append(b"x" * (8 << 20))\n' },
    });
    const { exit, exitRecord } = await runContainer({ image: image.tag, env, memory: '192m' });
    expect(exit).toBe(137);
    expect(exitRecord).toMatchObject({
      source: 'bot',
      code: null,
      signal: 'SIGKILL',
      exit: 137,
      stateSaved: true,
    });
    expect(exitRecord?.reason).toContain('out of memory');
  });
});

const countsRuns = `
from the0 import state

def main():
    runs = state.get('runs', 0) + 1
    state.set('runs', runs)
    print(f'run {runs}')
`;

const writesWhenStopped = `
import time

def main():
    try:
        print('running', flush=True)
        time.sleep(60)
    finally:
        with open('/state/last', 'w') as file:
            file.write('cleaned up')
`;

async function compile(source: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'runtime-compile-'));
  try {
    execFileSync('gcc', ['-x', 'c', '-', '-o', join(folder, 'bot')], { input: source });
    return await readFile(join(folder, 'bot'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
