import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { pluginImage, startGestaltd } from '../support/gestalt/gestaltd.ts';
import { containers, failure, patient, plugin, readySession } from '../support/gestalt/sessions.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const wrapper = join(root, 'test/support/gestalt/sandbox.py');
let image: string;
beforeAll(async () => {
  image = await pluginImage();
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

interface Release {
  readonly kind: string;
  readonly version: string;
  readonly package: string;
  readonly artifacts: Readonly<Record<string, { readonly path: string; readonly sha256: string }>>;
}

/** The package that operators get, as gestaltd unpacks it. */
async function unpacked(): Promise<{ executable: string; args: string[] }> {
  const [release, dir] = [await temporaryDirectory(), await temporaryDirectory()];
  await execute(join(root, 'scripts/release-gestalt'), ['--output', release, '--version', '1.2.3']);
  const read = async (name: string) => parse(await readFile(join(release, name), 'utf8')) as Release;
  const described = await read('provider-release.yaml');
  const { artifacts } = described;
  // gestaltd takes exactly this and no field more.
  expect(described).toEqual({
    schema: 'gestaltd-provider-release',
    schemaVersion: 1,
    package: expect.stringMatching(/^github\.com\/[^/]+\/[^/]+\/[^/]+$/),
    kind: 'runtime',
    version: '1.2.3',
    runtime: 'executable',
    artifacts: {
      'linux/amd64': { path: expect.stringMatching(/^[^/]+\.tar\.gz$/), sha256: expect.any(String) },
    },
  });
  for (const folder of ['.', 'apps']) {
    const { path, sha256 } = artifacts['linux/amd64']!;
    const archive = await readFile(join(release, folder, path));
    expect(createHash('sha256').update(archive).digest('hex')).toBe(sha256);
  }
  // A later one has to see a manifest that needs no file of the package, and none that is of a platform.
  const { kind, version, package: source } = described;
  expect(await read('apps/provider-release.yaml')).toEqual({
    ...described,
    staticValidation: {
      manifest: {
        kind,
        source,
        version,
        displayName: 'Docker Engine',
        description: expect.any(String),
        spec: {},
      },
    },
  });
  await execute('tar', ['-xzf', join(release, artifacts['linux/amd64']!.path), '-C', dir]);
  const { entrypoint } = parse(await readFile(join(dir, 'manifest.yaml'), 'utf8')) as {
    entrypoint: { artifactPath: string; args: string[] };
  };
  return { executable: join(dir, entrypoint.artifactPath), args: entrypoint.args };
}

test('the package inside the sandbox of gestaltd: plugins, policies through its filter proxy, and nobody else is touched', async () => {
  const asked: string[] = [];
  const relay = createServer((_request, response) => response.end('relayed'));
  const relayPort = await portOf(relay);
  const proxy = createServer();
  proxy.on('connect', ({ url = '', headers }, client) => {
    asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`);
    const [host, port] = url.split(':');
    const other = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(other).pipe(client);
    });
    for (const socket of [client, other]) socket.on('error', () => undefined);
  });
  const proxyPort = await portOf(proxy);
  const { executable, args } = await unpacked();

  // One outside of any sandbox, with a session: neither may take the other for dead.
  const outside = await startGestaltd();
  await outside.configure();
  const theirs = await readySession(outside, image);
  await outside.call('StartPlugin', plugin(theirs.id));

  const gestaltd = await startGestaltd({
    argv: ['/usr/bin/python3', wrapper, String(proxyPort), '{dir}', executable, ...args],
    env: { HTTP_PROXY: `http://user:word@127.0.0.1:${proxyPort}` },
  });
  await gestaltd.configure();
  const { id } = await readySession(gestaltd, image);
  await gestaltd.call('StartPlugin', plugin(id));
  const third = await startGestaltd();
  await third.configure();

  const look = `
import os, urllib.request
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open('http://' + os.environ['X_SOCKET'][6:]).read().decode(), flush=True)
raise SystemExit(1)`;
  const held = await readySession(gestaltd, image);
  const env = { X_SOCKET: `tcp://127.0.0.1:${relayPort}` };
  await failure(
    gestaltd.call('StartPlugin', plugin(held.id, { args: ['-c', look], env, defaultAction: 'deny' })),
  );
  await expect.poll(() => gestaltd.logs(held.id).map(({ message }) => message), patient).toContain('relayed');
  expect(asked).toEqual([`127.0.0.1:${relayPort} Basic ${Buffer.from('user:word').toString('base64')}`]);

  expect(await containers(`name=rtg-${theirs.id}`)).toHaveLength(1);
  expect(await containers(`name=rtg-${id}`)).toHaveLength(1);
  // Killed in the sandbox: the next one can tell that it is gone.
  gestaltd.provider.kill('SIGKILL');
  await new Promise((resolve) => gestaltd.provider.once('exit', resolve));
  const next = await startGestaltd();
  await next.configure();
  await expect.poll(() => containers(`name=rtg-${id}`), patient).toEqual([]);
  expect(await containers(`name=rtg-${theirs.id}`)).toHaveLength(1);
});

test('the sandbox of this test is one: it refuses files and ports', async () => {
  const port = await portOf(createServer());
  const dir = await temporaryDirectory();
  const inside = (script: string) =>
    execute('/usr/bin/python3', [wrapper, '0', dir, '/usr/lib/../bin/python3', '-c', script]).then(
      () => 'done',
      ({ stderr }: { stderr: string }) => stderr,
    );
  expect(await inside(`open('/etc/ssl/openssl.cnf')`)).toMatch(/Permission denied/);
  expect(await inside(`import socket; socket.create_connection(('127.0.0.1', ${port}))`)).toMatch(
    /Permission denied/,
  );
  expect(await inside(`open('${dir}/x', 'w')`)).toBe('done');
});
