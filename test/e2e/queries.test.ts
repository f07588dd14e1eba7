import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { vendoredSdk } from '../support/container/the0Sdk.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { freePort } from '../support/process/freePort.ts';
import { startFaultProxy } from '../support/store/faultProxy.ts';
import { minioClient } from '../support/store/minio.ts';
import { testBucket } from '../support/store/testBucket.ts';

const image = await universalImage();

describe.skipIf(image.missing !== undefined)('queries in containers', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  async function deploy() {
    const files = {
      'main.py': await program('bot.py'),
      'query.py': await program('query.py'),
      ...(await vendoredSdk()),
    };
    const env = await bots.deploy({ kind: 'python3.11', entrypoint: 'main.py', files });
    return { ...env, QUERY_ENTRYPOINT: 'query.py' };
  }

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: hardened },
  ])('a running bot’s query sees its state and cannot change it ($how)', async ({ options }) => {
    const port = await freePort();
    const env = { ...(await deploy()), BOT_TYPE: 'realtime', QUERY_PORT: String(port) };
    await using container = await startContainer({ image: image.tag, env, ...options });
    await container.waitForOutput('running');
    await untilReady(port);
    expect(await ask(port, '/price')).toEqual({ status: 'ok', data: 42 });
    expect(await ask(port, '/vandalise')).toEqual({ status: 'ok', data: [] });
    expect(await ask(port, '/price')).toEqual({ status: 'ok', data: 42 });
    await container.stop(30);
    expect((await container.ended()).exit).toBe(143);
  });

  test('a sleeping bot’s query answers from what was saved, in one line as the program wrote it', async () => {
    const env = await deploy();
    await runContainer({ image: image.tag, env: { ...env, BOT_CONFIG: '{"once":true}' } });
    const asked = await runContainer({ image: image.tag, env: { ...env, QUERY_PATH: '/price' } });
    expect(asked).toMatchObject({ exit: 0, stdout: '{"status": "ok", "data": 42}\n' });
  });

  test.each([
    { how: 'that tells the modes apart', file: 'sdkStyle.js' },
    { how: 'that only writes the result file', file: 'resultFile.js' },
  ])('a Node program $how, running and sleeping', async ({ file }) => {
    const port = await freePort();
    const files = { 'main.js': await program('bot.js'), 'query.js': await program(file) };
    const deployed = await bots.deploy({ kind: 'nodejs20', entrypoint: 'main.js', files });
    const env = { ...deployed, QUERY_ENTRYPOINT: 'query.js' };
    const price = { status: 'ok', data: { price: 42, of: 'BTC', number: '7' } };
    const unknown = { status: 'error', error: 'No handler for path: /none' };
    {
      const running = { ...env, BOT_TYPE: 'realtime', QUERY_PORT: String(port) };
      await using container = await startContainer({ image: image.tag, env: running });
      await container.waitForOutput('running');
      await untilReady(port);
      expect(await ask(port, '/price?of=BTC&number=7')).toEqual(price);
      expect(await ask(port, '/none')).toEqual(unknown);
      await container.stop(30);
    }
    const query = { ...env, QUERY_PATH: '/price', QUERY_PARAMS: '{"of":"BTC","number":"7"}' };
    const asked = await runContainer({ image: image.tag, env: query });
    expect(asked).toMatchObject({ exit: 0, stdout: `${JSON.stringify(price)}\n` });
    const failed = await runContainer({ image: image.tag, env: { ...query, QUERY_PATH: '/none' } });
    expect(failed).toMatchObject({ exit: 1, stdout: `${JSON.stringify(unknown)}\n` });
  });

  test('an answer that the store refuses is an error; one that it takes is the one printed', async () => {
    const proxy = await startFaultProxy(inject('minio').port);
    onTestFinished(() => proxy.close());
    const results = testBucket('results');
    const env = {
      ...(await deploy()),
      MINIO_ENDPOINT: proxy.endpoint,
      MINIO_QUERY_RESULTS_BUCKET: results,
      QUERY_PATH: '/health',
      QUERY_RESULT_KEY: 'answer.json',
    };
    const asked = await runContainer({ image: image.tag, env });
    expect(asked).toMatchObject({ exit: 0, stdout: '{"status": "ok", "data": {"status": "ok"}}\n' });
    const stored = await text(await minioClient(inject('minio')).getObject(results, 'answer.json'));
    expect(`${stored}\n`).toBe(asked.stdout);
    const fault = { status: 403, code: 'AccessDenied' };
    proxy.inject({ when: ({ path }) => path.startsWith(`/${results}`), fault, times: 100 });
    const refused = await runContainer({ image: image.tag, env });
    expect(refused.exit).toBe(69);
    expect(JSON.parse(refused.stdout)).toEqual({
      status: 'error',
      error: expect.stringContaining('uploaded'),
    });
  });

  test('beside the bot’s container, a query server waits for its code, sees its state, and follows new code', async () => {
    const port = await freePort();
    const dir = await temporaryDirectory();
    const shared = await Promise.all(
      ['bot', 'state'].map(async (name) => {
        await mkdir(join(dir, name));
        return `${join(dir, name)}:/${name}`;
      }),
    );
    const env = { ...(await deploy()), BOT_TYPE: 'realtime', QUERY_PORT: String(port) };
    await using sidecar = await startContainer({
      image: image.tag,
      env,
      volumes: [shared[0]!, `${shared[1]}:ro`],
      args: ['--query-server-only'],
    });
    await expect.poll(() => status(port, '/_runtime/healthz'), { timeout: 20_000 }).toBe(200);
    expect(await status(port, '/_runtime/readyz')).toBe(503);
    expect(await status(port, '/price')).toBe(502);
    const bot = { image: image.tag, volumes: shared, args: ['--skip-query-server'] };
    {
      await using first = await startContainer({ ...bot, env });
      await first.waitForOutput('running');
      await untilReady(port);
      expect(await ask(port, '/price')).toEqual({ status: 'ok', data: 42 });
      expect(await ask(port, '/vandalise')).toEqual({ status: 'ok', data: [] });
      await first.stop(30);
    }
    const files = {
      'main.py': await program('bot.py'),
      'query.py': (await program('query.py')).replace('/price', '/cost'),
      ...(await vendoredSdk()),
    };
    const newEnv = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files,
      botId: env.BOT_ID,
    });
    await using second = await startContainer({ ...bot, env: { ...env, ...newEnv } });
    await second.waitForOutput('running');
    await expect.poll(() => status(port, '/cost'), { timeout: 20_000 }).toBe(200);
    expect(await status(port, '/price')).toBe(404);
    await sidecar.stop(30);
    expect((await sidecar.ended()).exit).toBe(0);
  });
});

/** As its users write it. */
async function program(name: string): Promise<string> {
  return await readFile(join(import.meta.dirname, '../fixtures/queries', name), 'utf8');
}

async function ask(port: number, path: string): Promise<unknown> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).json();
}

async function status(port: number, path: string): Promise<number | undefined> {
  return (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined))?.status;
}

async function untilReady(port: number): Promise<void> {
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/_runtime/readyz`).catch(() => undefined);
    if (ready?.ok) return;
    await sleep(50);
  }
}
