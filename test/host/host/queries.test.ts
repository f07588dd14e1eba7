import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { type RealHost, realHost } from '../../support/host/realHost.ts';
import { scaled } from '../../support/scale.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const timeout = 120_000;

/** Serves what it finds around it, by path: files, what it may write, whom it can see. */
const QUERY = `
const fs = require('fs');
const tried = (work) => { try { return work() ?? 'done' } catch ({ code }) { return code } };
const read = (path) => tried(() => fs.readFileSync(path, 'latin1'));
const processes = () => fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name !== String(process.pid));
const below = (path) => tried(() => fs.readdirSync(path, { recursive: true }));
const answers = {
  '/state': () => read(process.env.STATE_DIR + '/count'),
  '/config': () => JSON.parse(process.env.BOT_CONFIG),
  '/around': () => ({
    uid: process.getuid(),
    code: below('/bot'),
    secrets: below('/run/secrets').map((name) => read('/run/secrets/' + name)),
    keys: read('/run/runtime/keys').length > 0,
    plain: /secretKey|accessKey|sessionToken/.test(read('/run/runtime/keys')),
    variables: Object.keys(process.env).filter((name) => /SEAL|SECRET|ACCESS/.test(name)),
    environments: processes().map((pid) => read('/proc/' + pid + '/environ')).filter((text) => /SEAL/.test(text)),
    inputs: processes().map((pid) => tried(() => fs.openSync('/proc/' + pid + '/fd/0', 'r'))),
    memories: processes().map((pid) => tried(() => fs.openSync('/proc/' + pid + '/mem', 'r'))),
    written: ['/state/planted', process.env.STATE_DIR + '/count', '/bot/planted', '/bot/query.js', '/run/secrets/planted', '/run/runtime/planted', '/etc/planted', '/tmp/planted']
      .filter((path) => tried(() => fs.writeFileSync(path, 'x')) === 'done'),
    removed: tried(() => fs.rmSync(process.env.STATE_DIR + '/count')),
  }),
  '/stay': () => {
    require('child_process').spawn('sh', ['-c', 'trap "" TERM HUP INT; while :; do sleep 1; done'], { detached: true, stdio: 'ignore' }).unref();
    fs.writeFileSync('/tmp/mine', 'x');
  },
  '/hang': () => new Promise(() => undefined),
};
require('http').createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  const data = await answers[pathname]();
  response.end(JSON.stringify({ status: 'ok', data }));
}).listen(process.env.THE0_QUERY_PORT, '127.0.0.1');
`;
const COUNT = `
const fs = require('fs');
const dir = process.env.STATE_DIR;
fs.mkdirSync(dir, { recursive: true });
const file = dir + '/count';
const count = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
fs.writeFileSync(file, String(count + 1), { mode: 0o640 });
`;

/** A bot that never runs by itself. */
const bot = (name: string, more = '') => ({
  [`${name}/bot.yaml`]: `name: ${name}\ntype: scheduled\nruntime: nodejs20\nentrypoints: {bot: main.js, query: query.js}\nschedule: {cron: '0 0 1 1 *'}\n${more}`,
  [`${name}/main.js`]: COUNT,
  [`${name}/query.js`]: QUERY,
});

interface Answer {
  readonly status: number;
  readonly data: unknown;
  readonly error: string | undefined;
}

async function ask(host: RealHost, name: string, path: string): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${host.queryPort}/bots/${name}${path}`);
  const { data, error } = (await answer.json()) as { data?: unknown; error?: string };
  return { status: answer.status, data, error };
}

/** Names of the host's containers that begin so, running ones alone unless said. */
async function containers(host: RealHost, prefix: string, ...more: string[]): Promise<string[]> {
  const { readFileSync } = await import('node:fs');
  const id = readFileSync(join(host.data, 'host-id'), 'utf8').trim();
  const filters = ['--filter', `label=runtime.host=${id}`, '--filter', `name=^/${prefix}`];
  const listed = await docker('ps', '--format', '{{.Names}}', ...filters, ...more);
  return listed.split('\n').filter((name) => name !== '');
}

const waiting = (host: RealHost, count: number) =>
  vi.waitFor(
    async () => {
      const text = await (await fetch(`http://127.0.0.1:${host.queryPort}/metrics`)).text();
      expect(text).toContain(`runtime_host_query_workers_waiting ${count}\n`);
    },
    { timeout, interval: 250 },
  );
const known = (host: RealHost, ...names: string[]) =>
  vi.waitFor(
    async () => {
      const listed = (await host.list()).map(({ name }) => name);
      expect(listed).toEqual(expect.arrayContaining(names));
    },
    { timeout, interval: 250 },
  );

describe.skipIf(image.missing !== undefined)('queries of bots that do not run', { timeout: 400_000 }, () => {
  test('are answered by a worker that waited, from the newest state, and by no worker twice for two bots', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      host.write({
        ...bot('a', 'config: {whose: a}\nresources: {memory: 300Mi, pids: 77}\n'),
        ...bot('b', 'config: {whose: b}\n'),
        ...bot('off', 'enabled: false\nconfig: {whose: off}\n'),
        'broken.yaml': 'name: broken\ntype: never\n',
        ...bot('closed', 'network: {egress: none}\n'),
      });
      await host.start();
      await known(host, 'a', 'b', 'closed', 'off', 'broken');
      await waiting(host, 2);

      expect((await ask(host, 'a', '/config')).data).toEqual({ whose: 'a' });
      const limits = '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}';
      expect(
        await Promise.all(
          (await containers(host, 'rtw-')).map((name) => docker('inspect', '-f', limits, name)),
        ),
      ).toContain(`${300 * 2 ** 20} ${300 * 2 ** 20} 77\n`);
      expect((await ask(host, 'b', '/config')).data).toEqual({ whose: 'b' });
      expect(await containers(host, 'rtq-')).toEqual([]);
      // Others take their place.
      await waiting(host, 2);

      // What does not fit has a container of its own.
      expect((await ask(host, 'closed', '/config')).status).toBe(200);
      expect(await containers(host, 'rtq-')).toHaveLength(1);

      // As the0 asks, and off or not.
      const post = async (body: object) => {
        const url = `http://127.0.0.1:${host.queryPort}/query`;
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
        return [answer.status, await answer.json()] as const;
      };
      const timed = { duration: expect.any(Number), timestamp: expect.any(String) };
      expect(await post({ bot_id: 'off', query_path: 'config', params: { n: 1 } })).toEqual([
        200,
        { status: 'ok', data: { whose: 'off' }, ...timed },
      ]);
      const refused = (error: string) => [404, { status: 'error', error, ...timed }];
      expect(await post({ bot_id: 'nobody', query_path: '/x' })).toEqual(refused('bot not found: nobody'));
      const why = 'bot broken does not have entrypoints configured';
      expect(await post({ bot_id: 'broken', query_path: '/x' })).toEqual(refused(why));

      expect((await ask(host, 'a', '/state')).data).toBe('ENOENT');
      const counted = async (count: string) => {
        await host.cli('run', 'a');
        await vi.waitFor(async () => expect((await ask(host, 'a', '/state')).data).toBe(count), {
          timeout,
          interval: 500,
        });
      };
      await counted('1');
      await counted('2');
    } finally {
      await minio.stop();
    }
  });

  test('a query program finds nothing of others, changes nothing, and does not stay', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({
        image: image.tag,
        minio,
        env: { RUNTIME_HOST_QUERY_WORKERS: '1' },
      });
      const { mkdirSync, writeFileSync } = await import('node:fs');
      const secrets = join(host.data, '../secrets');
      mkdirSync(secrets);
      for (const name of ['its', 'others']) writeFileSync(join(secrets, name), `${name} secret`);
      host.write({
        ...bot('bad', 'secrets: [its]\n'),
        ...bot('good', 'secrets: [others]\n'),
        'good/only-good.js': '',
      });
      await host.start();
      await known(host, 'bad', 'good');
      await host.cli('run', 'bad');
      await vi.waitFor(
        async () => {
          const bad = (await host.list()).find(({ name }) => name === 'bad');
          expect(bad?.lastRun).toMatchObject({ outcome: 'done' });
        },
        { timeout, interval: 500 },
      );
      await waiting(host, 1);
      expect((await ask(host, 'bad', '/state')).data).toBe('1');
      expect(await containers(host, 'rtq-', '--all')).toEqual([]);

      const { data } = await ask(host, 'bad', '/around');
      const found = data as Record<string, unknown>;
      expect(found).toMatchObject({
        code: expect.not.arrayContaining(['only-good.js']),
        secrets: ['its secret'],
        keys: true,
        plain: false,
        variables: [],
        environments: [],
        // It can write where it may.
        written: ['/tmp/planted'],
        removed: 'EACCES',
      });
      // Its own code is there: the list is not empty because nothing could be read.
      expect(found.code).toContain('query.js');
      for (const tried of [found.inputs, found.memories] as string[][]) {
        expect(tried.length).toBeGreaterThanOrEqual(2);
        expect(new Set(tried)).toEqual(new Set(['EACCES']));
      }
      expect(found.uid).not.toBe(process.getuid?.());

      await ask(host, 'bad', '/stay');
      const [its] = await containers(host, 'rtw-')
        .then((names) => Promise.all(names.map(async (name) => ({ name, top: await docker('top', name) }))))
        .then((all) => all.filter(({ top }) => top.includes('trap')));
      expect(its).toBeDefined();
      await waiting(host, 1);
      await ask(host, 'good', '/config');
      const users = await Promise.all(
        (await containers(host, 'rtw-')).map((name) => docker('inspect', '-f', '{{.Config.User}}', name)),
      );
      expect(new Set(users).size).toBe(users.length);
      // Another state: the worker goes, with all that it has started.
      await host.cli('run', 'bad');
      await vi.waitFor(async () => expect((await ask(host, 'bad', '/state')).data).toBe('2'), {
        timeout,
        interval: 500,
      });
      await vi.waitFor(async () => expect(await containers(host, its!.name, '--all')).toEqual([]), {
        timeout,
        interval: 500,
      });
    } finally {
      await minio.stop();
    }
  });

  test('a host that is killed while workers wait and answer leaves nothing; drained, none waits', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      host.write({ ...bot('a'), ...bot('b'), ...bot('c', 'network: {egress: none}\n') });
      await host.start();
      await known(host, 'a');
      await waiting(host, 2);
      expect((await ask(host, 'a', '/config')).status).toBe(200);
      const hanging = ask(host, 'a', '/hang').catch(() => undefined);
      await waiting(host, 2);
      const before = await containers(host, 'rtw-');
      expect(before).toHaveLength(3);
      await host.kill();
      await hanging;
      // Each loses what it was started by, whether it waits or answers.
      await vi.waitFor(async () => expect(await containers(host, 'rtw-')).toEqual([]), {
        timeout,
        interval: 250,
      });

      await host.start();
      await known(host, 'a');
      await waiting(host, 2);
      const patient = { timeout, interval: 500 };
      // What the first life has left is taken away beside what is made.
      await vi.waitFor(async () => {
        const after = await containers(host, 'rtw-', '--all');
        expect(after.filter((name) => before.includes(name))).toEqual([]);
        expect(after).toHaveLength(2);
        expect(readdirSync(join(host.data, 'workers'))).toHaveLength(2);
      }, patient);
      expect((await ask(host, 'a', '/config')).status).toBe(200);

      // And at any other moment.
      for (let i = 0; i < scaled(4); i += 1) {
        const asked = Promise.all(
          ['a', 'b', 'c'].map((name) => ask(host, name, '/config').catch(() => undefined)),
        );
        await pause(Math.random() * 1_500);
        await host.kill();
        await asked;
        await host.start();
      }
      await known(host, 'a');
      await waiting(host, 2);
      await vi.waitFor(async () => {
        expect(await containers(host, 'rt[wq]-', '--all')).toHaveLength(2);
        expect(readdirSync(join(host.data, 'workers'))).toHaveLength(2);
      }, patient);

      await host.cli('drain');
      await vi.waitFor(async () => expect(await containers(host, 'rt[wq]-', '--all')).toEqual([]), {
        timeout,
        interval: 500,
      });
      expect(await ask(host, 'a', '/config')).toMatchObject({
        status: 503,
        error: expect.stringMatching(/drained/),
      });
      await host.cli('resume');
      await waiting(host, 2);
      expect((await ask(host, 'a', '/config')).status).toBe(200);

      expect(await host.stop()).toBe(0);
      expect(await containers(host, 'rt[wq]-', '--all')).toEqual([]);
      expect(existsSync(join(host.data, 'workers')) && readdirSync(join(host.data, 'workers'))).toEqual([]);

      await host.start({ RUNTIME_HOST_QUERY_WORKERS: '0' });
      await known(host, 'a');
      await vi.waitFor(async () => expect((await ask(host, 'a', '/config')).status).toBe(200), {
        timeout,
        interval: 500,
      });
      expect(await containers(host, 'rtw-', '--all')).toEqual([]);
      expect(await containers(host, 'rtq-')).toHaveLength(1);
    } finally {
      await minio.stop();
    }
  });
});
