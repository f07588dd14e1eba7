import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { scaled } from '../../support/scale.ts';
import { type RealServe, realServe } from '../../support/serve/realServe.ts';
import { type Minio, startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const PATIENT = { timeout: 120_000, interval: 250 };

/** Containers of a sandbox that run, each with its host. */
const running = async (id: string) =>
  (await docker('ps', '--format', '{{.Label "runtime.host"}}', '--filter', `label=runtime.bot=${id}`))
    .split('\n')
    .filter((host) => host !== '');

describe.skipIf(image.missing !== undefined)(
  'servers of sandboxes that share a store',
  { timeout: 300_000 + scaled(60_000) },
  () => {
    let minio: Minio;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hosts-'));
      minio = await startMinio({ address: '0.0.0.0', quiet: true });
    }, 300_000);
    afterAll(async () => {
      await minio?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const member = async (name: string, env: Record<string, string> = {}) =>
      await realServe({
        image: image.tag,
        env: { ...minio.env(), ...env },
      }).then((serve) => {
        writeFileSync(join(folder, `${name}.key`), serve.key);
        return serve;
      });
    const hostsFile = (
      file: string,
      hosts: readonly { readonly name: string; readonly serve: RealServe; readonly standby?: boolean }[],
      webhook?: object,
    ) =>
      writeFileSync(
        join(folder, file),
        JSON.stringify({
          hosts: hosts.map(({ name, serve, standby = false }) => ({
            name,
            url: serve.url,
            keyFile: join(folder, `${name}.key`),
            standby,
          })),
          ...(webhook && { webhook }),
        }),
      );
    const hosts = async (serve: RealServe) =>
      (await serve.call('GET', '/v1/hosts')).body.hosts as { name: string; healthy: boolean }[];
    /** Until the front has heard of it. */
    const healthy = async (serve: RealServe, name: string, is = true) =>
      await vi.waitFor(
        async () => expect((await hosts(serve)).find((host) => host.name === name)?.healthy).toBe(is),
        PATIENT,
      );
    const holder = async (id: string) => {
      const object = await minio.client.getObject('custom-bots', `sandboxes/records/${id}.json`);
      return (JSON.parse(await text(object)) as { holder: string | null }).holder;
    };

    test('what one has stopped another one resumes, from no less than was saved; the first does not run it again', async () => {
      await using a = await member('a');
      await using b = await member('b', { RUNTIME_SERVE_HOSTS: join(folder, 'of-b.yaml') });
      hostsFile('of-b.yaml', [{ name: 'a', serve: a }]);
      await Promise.all([a.start(), b.start()]);
      await healthy(b, 'a');
      const { id } = await b.create({
        name: 'moving',
        env: { GREETING: 'hello' },
        driver: { targetHostIds: ['a'] },
      });
      await b.until(id, 'running');
      expect(await running(id)).toEqual([a.id()]);
      await b.exec(
        id,
        'echo $GREETING > kept; mkdir -p deep/er; head -c 300000 /dev/urandom > deep/er/bytes',
      );
      const sum = (await b.exec(id, 'sha256sum < deep/er/bytes')).stdout;
      // While it runs it is A's, whoever asks.
      expect((await b.call('POST', `/v1/sandboxes/${id}/resume`)).status).toBe(200);
      expect(await running(id)).toEqual([a.id()]);
      await b.call('POST', `/v1/sandboxes/${id}/stop`);
      await b.until(id, 'stopped');
      await vi.waitFor(async () => expect(await holder(id)).toBeNull(), PATIENT);
      await a.kill();

      // Its host is gone: it is known and read all the same, and starts on the other.
      await healthy(b, 'a', false);
      expect((await b.info(id)).status).toBe('stopped');
      expect((await b.call('GET', '/v1/sandboxes')).body.sandboxes).toMatchObject([
        { id, status: 'stopped' },
      ]);
      expect((await b.call('GET', `/v1/sandboxes/${id}/disk/exists/kept`)).status).toBe(200);
      expect((await b.call('POST', `/v1/sandboxes/${id}/resume`)).status).toBe(200);
      await b.until(id, 'running');
      expect((await b.exec(id, 'cat kept; sha256sum < deep/er/bytes')).stdout).toBe(`hello\n${sum}`);
      expect(await running(id)).toEqual([b.id()]);
      await b.exec(id, 'echo b > kept');

      // It comes back.
      await a.start();
      const asked = await a.call('POST', `/v1/sandboxes/${id}/resume`);
      expect(asked).toMatchObject({ status: 421, body: { code: 'OTHER_HOST', host: b.id() } });
      expect((await a.call('GET', '/v1/sandboxes')).body.sandboxes).toEqual([]);
      expect(await running(id)).toEqual([b.id()]);

      // Killed while it starts it again.
      await b.call('POST', `/v1/sandboxes/${id}/stop`);
      await b.until(id, 'stopped');
      const resuming = b.call('POST', `/v1/sandboxes/${id}/resume`).catch(() => undefined);
      await b.kill();
      await resuming;
      await b.start();
      await b.call('POST', `/v1/sandboxes/${id}/resume`);
      await b.until(id, 'running');
      expect((await b.exec(id, 'cat kept')).stdout).toBe('b\n');

      // One whose host is lost while it runs is nobody's to take, until somebody says that the host is gone for good.
      const { status } = await b.call('POST', `/v1/sandboxes/${id}/snapshot`, {});
      expect(status).toBeLessThan(300);
      await b.kill();
      expect(await a.call('POST', `/v1/sandboxes/${id}/resume`)).toMatchObject({
        status: 421,
        body: { host: b.id() },
      });
      const own = await docker('ps', '--all', '--quiet', '--filter', `label=runtime.bot=${id}`);
      await docker('rm', '--force', ...own.split('\n').filter((one) => one !== ''));
      const taken = await a.call('POST', `/v1/sandboxes/${id}/resume`, { takeFrom: b.id() });
      expect(taken, JSON.stringify(taken)).toMatchObject({ status: 200 });
      await a.until(id, 'running');
      expect((await a.exec(id, 'cat kept')).stdout).toBe('b\n');
      await b.start();
      await healthy(b, 'a');
      await b.until(id, 'running');
      expect(await running(id)).toEqual([a.id()]);
      expect((await b.call('DELETE', `/v1/sandboxes/${id}`)).status).toBe(200);
      expect((await a.call('GET', `/v1/sandboxes/${id}`)).status).toBe(404);
    });

    test('one that stands by is used when the other is full, the webhook is asked, and each is seen with its health', async () => {
      const asked: { valid: boolean; body: Record<string, unknown> }[] = [];
      const hook = createServer(async (request, response) => {
        const body = await text(request);
        const { 'x-runtime-timestamp': at, 'x-runtime-signature': signature } = request.headers;
        const mac = createHmac('sha256', 'hook').update(`${at}.${body}`).digest('hex');
        asked.push({ valid: signature === `v1=${mac}`, body: JSON.parse(body) });
        response.writeHead(204).end();
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => hook.once('listening', resolve));
      await using closing = new AsyncDisposableStack();
      closing.defer(() => {
        hook.closeAllConnections();
        hook.close();
      });
      writeFileSync(join(folder, 'hook'), 'hook');
      await using s = await member('s');
      await using f = await member('f', {
        RUNTIME_SERVE_HOSTS: join(folder, 'of-f.yaml'),
        RUNTIME_SERVE_SANDBOXES: '1',
      });
      const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/more`;
      hostsFile('of-f.yaml', [{ name: 's', serve: s, standby: true }], {
        url,
        secretFile: join(folder, 'hook'),
      });
      await Promise.all([s.start(), f.start()]);
      await healthy(f, 's');
      const first = await f.create();
      await f.until(first.id, 'running');
      expect(await running(first.id)).toEqual([f.id()]);
      expect(asked).toEqual([]);
      const second = await f.create();
      await f.until(second.id, 'running');
      expect(await running(second.id)).toEqual([s.id()]);
      await vi.waitFor(() => expect(asked).toHaveLength(1), PATIENT);
      expect(asked[0]).toMatchObject({ valid: true, body: { need: { slots: 1 } } });

      const capacity = async () => await (await fetch(`${f.url}/metrics`)).text();
      const health = (host: string, is: number) =>
        `runtime_serve_capacity{host="${host}",what="healthy",of="total"} ${is}`;
      await vi.waitFor(async () => {
        const metrics = await capacity();
        expect(metrics).toContain(`runtime_serve_capacity{host="s",what="slots",of="used"} 1`);
        expect(metrics).toContain(health('s', 1));
        expect(metrics).toContain(health(f.id(), 1));
      }, PATIENT);
      expect((await f.call('GET', '/v1/sandboxes')).body.sandboxes).toHaveLength(2);
      await s.kill();
      await healthy(f, 's', false);
      expect(await capacity()).toContain(health('s', 0));
      // What ends with a server is the way to its sandboxes, not they.
      expect(await running(second.id)).toEqual([s.id()]);
      expect((await f.call('GET', `/v1/sandboxes/${second.id}`)).status).toBe(502);
      await s.start();
      await f.until(second.id, 'running');
    });
  },
);
