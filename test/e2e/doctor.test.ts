import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/base/finding.ts';
import { type ContainerOptions, runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, dockerWithInput, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { freePort } from '../support/process/freePort.ts';
import { type Fault, startFaultProxy } from '../support/store/faultProxy.ts';

const image = await universalImage();
const asTini = { entrypoint: '/usr/bin/tini', args: ['-s', '--', 'runtime', 'doctor', '--json'] };

describe.skipIf(image.missing !== undefined)('runtime doctor in containers', { timeout: 60_000 }, () => {
  let env: Record<string, string>;
  beforeAll(async () => {
    const bots = await containerBots(inject('minio'));
    env = await bots.deploy({
      kind: 'python3.11',
      entrypoint: 'main.py',
      files: { 'main.py': 'print("up")\n' },
    });
    Object.assign(env, { BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'main.py' });
  });

  /** What it finds, by check; and the container's exit code. */
  async function examine(options: Partial<ContainerOptions>, variables: Record<string, string> = {}) {
    const { exit, stdout, stderr } = await runContainer({
      image: image.tag,
      ...asTini,
      ...options,
      env: { ...env, QUERY_PORT: String(await freePort()), ...variables },
    });
    expect(stdout, stderr).not.toBe('');
    const report = JSON.parse(stdout) as { exit: number; checks: Finding[] };
    expect(exit).toBe(report.exit);
    const status = Object.fromEntries(report.checks.map((finding) => [finding.check, finding.status]));
    return { exit, status, text: stdout };
  }

  async function behind(fault: Fault, when: (method: string) => boolean) {
    const proxy = await startFaultProxy(inject('minio').port);
    onTestFinished(() => proxy.close());
    proxy.inject({ when: ({ method }) => when(method), fault, times: 1000 });
    return { MINIO_ENDPOINT: `127.0.0.1:${proxy.port}` };
  }

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: hardened },
  ])('finds nothing wrong where nothing is ($how)', async ({ options }) => {
    const { exit, status } = await examine(options);
    expect(exit).toBe(0);
    expect(new Set(Object.values(status)), JSON.stringify(status)).toEqual(new Set(['ok']));
    expect(Object.keys(status)).toEqual(
      expect.arrayContaining(['CODE_PATH', 'kind', 'clock', 'conditional writes', 'credentials', 'reaping']),
    );
  });

  test.each<{ what: string; check: string; code: number; variables: Record<string, string> }>([
    {
      what: 'a closed port of the store',
      check: 'store',
      code: 69,
      variables: { MINIO_ENDPOINT: '127.0.0.1:1', START_TIMEOUT: '0' },
    },
    {
      what: 'bad credentials',
      check: 'bucket state',
      code: 69,
      variables: { MINIO_SECRET_KEY: 'not-the-secret-at-all' },
    },
    { what: 'no such code', check: 'code', code: 66, variables: { CODE_FILE: 'not/there.zip' } },
    {
      what: 'an interpreter that the image lacks',
      check: 'kind',
      code: 127,
      variables: { RUNTIME: 'dotnet8', ENTRYPOINT: 'a.dll', QUERY_ENTRYPOINT: 'a.dll' },
    },
  ])('$what: $code', async ({ check, code, variables }) => {
    const { exit, status, text } = await examine(hardened, variables);
    expect(exit).toBe(code);
    expect(status).toMatchObject({ [check]: 'fail' });
    expect(text).not.toContain('not-the-secret-at-all');
  });

  test('paths on a read-only root file system, each named: 78', async () => {
    const { exit, status } = await examine({ ...hardened, tmpfs: ['/tmp', '/query'] });
    expect(exit).toBe(78);
    expect(status).toMatchObject({ CODE_PATH: 'fail', STATE_PATH: 'fail', LOGS_PATH: 'fail' });
  });

  test('a query port that somebody has: 78', async () => {
    const server = createServer().listen(await freePort());
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { exit, status } = await examine({}, { QUERY_PORT: String(port) });
    expect(exit).toBe(78);
    expect(status).toMatchObject({ 'query port': 'fail' });
  });

  test('a clock that is off is a warning', async () => {
    const off = await behind({ clockAheadMs: 10 * 60_000 }, () => true);
    expect(await examine({}, off)).toMatchObject({ exit: 0, status: { store: 'ok', clock: 'warn' } });
  });

  test('a store that takes every conditional write is a warning', async () => {
    const ignoring = await behind(
      { status: 200, code: 'Taken', headers: { etag: '"e"' } },
      (method) => method === 'PUT',
    );
    expect(await examine({}, ignoring)).toMatchObject({
      exit: 0,
      status: { 'bucket state': 'ok', 'conditional writes': 'warn' },
    });
  });

  test('no init, and little memory, are warnings', async () => {
    const found = await examine({ entrypoint: 'runtime', args: ['doctor', '--json'], memory: '60m' });
    expect(found).toMatchObject({ exit: 0, status: { reaping: 'warn', memory: 'warn' } });
  });

  test('an executable that the bot can read is a warning, for an ordinary user', async () => {
    const tag = `runtime-test-readable:${randomUUID()}`;
    const readable = `FROM ${image.tag}\nRUN chmod 0755 /usr/local/bin/runtime\n`;
    await dockerWithInput(readable, 'build', '--force-rm', '--tag', tag, '-');
    onTestFinished(async () => void (await docker('image', 'rm', '--force', tag)));
    const found = await examine({ ...hardened, image: tag });
    expect(found).toMatchObject({ exit: 0, status: { credentials: 'warn' } });
  });
});
