import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createUnixServer } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { docker } from '../support/container/docker.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { pluginImage, sessionRelay, startGestaltd, type TestGestaltd } from '../support/gestalt/gestaltd.ts';
import {
  containers,
  failure,
  patient,
  plugin,
  readySession,
  type Session,
} from '../support/gestalt/sessions.ts';
import { runRuntime } from '../support/process/executable.ts';
import { shortest } from '../support/process/shortest.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 300_000 });

let image: string;
beforeAll(async () => {
  [image] = await Promise.all([pluginImage(), sessionRelay()]);
});

test('what is asked before and about the provider', async () => {
  const gestaltd = await startGestaltd();
  const lifecycle = { service: 'ProviderLifecycle' };
  expect(await gestaltd.call('GetProviderIdentity', {}, lifecycle)).toMatchObject({
    kind: 'PROVIDER_KIND_RUNTIME',
    name: 'box',
  });
  expect(await failure(gestaltd.call('GetSupport'))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  const configure = (request: object) => gestaltd.call('ConfigureProvider', request, lifecycle);
  expect(await failure(configure({ protocolVersion: 2 }))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect(await failure(configure({ protocolVersion: 3, config: { memory: 'much' } }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  // What gestaltd sends where the operator wrote nothing.
  expect(
    await configure({
      protocolVersion: 3,
      config: { name: 'box', source: 's', command: '/x', manifestPath: '/m', args: ['a'], env: {} },
    }),
  ).toEqual({ protocolVersion: 3 });
  expect(await gestaltd.call('GetProviderIdentity', {}, lifecycle)).toMatchObject({
    minProtocolVersion: 3,
    maxProtocolVersion: 5,
  });
  expect(await gestaltd.call('HealthCheck', {}, lifecycle)).toMatchObject({ ready: true });
  expect(await gestaltd.call('StartProvider', {}, lifecycle)).toEqual({ protocolVersion: 3 });
  expect(await gestaltd.call('GetSupport')).toEqual({
    canHostPlugins: true,
    hostServiceAccess: 'PLUGIN_RUNTIME_HOST_SERVICE_ACCESS_DIRECT',
    egressMode: 'PLUGIN_RUNTIME_EGRESS_MODE_HOSTNAME',
    supportsPrepareWorkspace: true,
  });
});

test.each([
  { version: '0.0.1a20', service: 'RuntimeProvider', protocol: 4 },
  { version: '0.0.1a25', service: 'Runtime', protocol: 4 },
  { version: '0.0.1a29', service: 'Runtime', protocol: 5 },
])(
  'a later gestaltd, by the messages of the SDK $version: an app, its output where that has a place, its end',
  async (sdk) => {
    const gestaltd = await startGestaltd({ sdk });
    const lifecycle = { service: 'ProviderLifecycle' };
    expect(await gestaltd.call('GetProviderIdentity', {}, lifecycle)).toMatchObject({
      kind: 'PROVIDER_KIND_RUNTIME',
      name: 'box',
      minProtocolVersion: 3,
      maxProtocolVersion: 5,
    });
    const wrong = { protocolVersion: 6 };
    expect(await failure(gestaltd.call('ConfigureProvider', wrong, lifecycle))).toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    await gestaltd.configure();
    expect(await gestaltd.call('StartProvider', {}, lifecycle)).toEqual({ protocolVersion: sdk.protocol });
    expect(await gestaltd.call('GetSupport')).toEqual({
      canHostApps: true,
      egressMode: 'RUNTIME_EGRESS_MODE_HOSTNAME',
      supportsPrepareWorkspace: true,
    });
    const { id } = await gestaltd.call<Session>('StartSession', {
      appName: 'echo',
      image,
      metadata: { team: 'a' },
    });
    gestaltd.register(id);
    await expect
      .poll(async () => (await gestaltd.call<Session>('GetSession', { sessionId: id })).state, patient)
      .toBe('ready');
    const app = {
      sessionId: id,
      appName: 'echo',
      command: 'python3',
      args: ['/app/plugin.py', 'two words'],
      env: { GREETING: 'hello' },
    };
    expect(await failure(gestaltd.call('StartApp', { ...app, workdir: 'srv' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await gestaltd.call('StartApp', { ...app, workdir: '/srv/code' })).toMatchObject({
      sessionId: id,
      appName: 'echo',
      dialTarget: expect.stringMatching(/^unix:\/\/\//),
    });
    expect(await gestaltd.call('ListSessions', { pageSize: 10 })).toMatchObject({
      sessions: [{ id, state: 'running', metadata: { team: 'a', plugin: 'echo' } }],
    });
    const isTold = sdk.version !== '0.0.1a29';
    if (isTold)
      await expect
        .poll(() => gestaltd.logs(id).map(({ message }) => message), patient)
        .toContain("greeting 'hello' cwd /srv/code");
    const workspace = { checkouts: [{ url: 'file:///srv/code', ref: 'v1', path: 'code' }], cwd: 'code/src' };
    const prepared = { sessionId: id, agentSessionId: 'a-1' };
    expect(await gestaltd.call('PrepareWorkspace', { ...prepared, workspace })).toMatchObject({
      workspace: { cwd: expect.stringMatching(/\/code\/src$/) },
    });
    await gestaltd.call('RemoveWorkspace', prepared);
    await gestaltd.call('StopSession', { sessionId: id });
    expect(await failure(gestaltd.call('GetSession', { sessionId: 'none' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    await gestaltd.stop();
    expect(await containers(`name=rtg-${id}`)).toEqual([]);
  },
);

test('a plugin of the published SDK: started exactly, ready when it accepts, its output in the log, gone when stopped', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const session = await readySession(gestaltd, image, {
    metadata: { team: 'a', provider_name: 'echo' },
  });
  expect(session).toMatchObject({
    state: 'ready',
    metadata: {
      team: 'a',
      provider_name: 'echo',
      plugin: 'echo',
      'runtime.actualImage': expect.stringMatching(/^sha256:/),
    },
  });
  const hosted = await gestaltd.call<{ dialTarget: string }>('StartPlugin', plugin(session.id));
  expect(hosted).toMatchObject({
    sessionId: session.id,
    pluginName: 'echo',
    dialTarget: expect.stringMatching(/^unix:\/\/\//),
  });
  const socket = hosted.dialTarget.slice('unix://'.length);
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
  expect(existsSync(socket)).toBe(true);
  expect(await gestaltd.call<Session>('GetSession', { sessionId: session.id })).toMatchObject({
    state: 'running',
  });
  await expect
    .poll(() => gestaltd.logs(session.id).map(({ message }) => message))
    .toEqual(
      expect.arrayContaining(["arguments ['two words', '', '$HOME']", `greeting 'a\\n"b" $c' cwd /app`]),
    );
  expect(gestaltd.logs(session.id).find(({ message }) => message.startsWith('greeting'))?.stream).toBe(
    'PLUGIN_RUNTIME_LOG_STREAM_STDERR',
  );
  const numbers = gestaltd.logs(session.id).map(({ sourceSeq }) => Number(sourceSeq));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(await failure(gestaltd.call('StartPlugin', plugin(session.id)))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  expect(await gestaltd.call('ListSessions')).toMatchObject({
    sessions: [{ id: session.id, state: 'running' }],
  });

  const { id } = session;
  await gestaltd.call('StopSession', { sessionId: id });
  await gestaltd.call('StopSession', { sessionId: id });
  expect(await containers(`name=rtg-${id}`)).toEqual([]);
  expect(await gestaltd.call<Session>('GetSession', { sessionId: id })).toMatchObject({ state: 'stopped' });
  expect(await gestaltd.call('ListSessions')).toEqual({});
});

test('refusals', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure({ templates: { small: { image } } });
  const call = (method: string, request: object) => failure(gestaltd.call(method, request));
  expect(await call('GetSession', { sessionId: 'none' })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await call('StartPlugin', plugin('none'))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await call('StopSession', { sessionId: 'none' })).toBeUndefined();
  expect(await call('StartSession', { pluginName: 'x' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(await call('StartSession', { pluginName: 'x', template: 'large' })).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('small'),
  });
  expect(
    await call('StartSession', { pluginName: 'x', image, imagePullAuth: { dockerConfigJson: '{' } }),
  ).toMatchObject({ code: 'INVALID_ARGUMENT' });
  const session = await readySession(gestaltd, '', { template: 'small' });
  expect(await call('StartPlugin', plugin(session.id, { command: ' ' }))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(
    await call('PrepareWorkspace', { sessionId: session.id, agentSessionId: '..', workspace: {} }),
  ).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(
    await call('BindHostService', {
      sessionId: session.id,
      envVar: 'A B',
      relay: { dialTarget: 'unix:///x' },
    }),
  ).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test.each([
  [
    'exits',
    ['-c', 'import sys; print("reading the config"); sys.exit("no such file")'],
    /ended before it accepted.*exited with code 1[\s\S]*\[stderr\] no such file/,
  ],
  ['is not there', undefined, /ended before it accepted/],
])(
  'a plugin that %s fails at once, with its own last output, and leaves nothing',
  async (_name, args, message) => {
    const gestaltd = await startGestaltd();
    await gestaltd.configure();
    const { id } = await readySession(gestaltd, image);
    const command = args === undefined ? { command: './nothing-here', args: [] } : { args };
    const error = await failure(gestaltd.call('StartPlugin', plugin(id, command)));
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(message) });
    if (args) await logged(gestaltd, id, 'no such file');
    expect(await gestaltd.call<Session>('GetSession', { sessionId: id })).toMatchObject({ state: 'failed' });
    expect(await containers(`name=rtg-${id}`)).toEqual([]);
  },
);

test('a plugin that never listens is given up in time, one that is cancelled at once', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure({ startTimeout: 2 });
  const idle = { command: 'sleep', args: ['60'] };
  const refused = async () => {
    const { id } = await readySession(gestaltd, image);
    return await failure(gestaltd.call('StartPlugin', plugin(id, idle)));
  };
  // UNAVAILABLE, where the engine has not even started it within that time.
  await expect
    .poll(refused, patient)
    .toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('2 s') });
  const other = await readySession(gestaltd, image);
  await failure(gestaltd.call('StartPlugin', plugin(other.id, idle), { timeout: 0.5 }));
  await expect.poll(() => containers(`name=rtg-${other.id}`), patient).toEqual([]);
});

test('a plugin that prints much and never listens leaves a state that one message holds', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure({ startTimeout: 20 });
  const { id } = await readySession(gestaltd, image);
  const noise = `import time
for i in range(30): print('漢' * 60_000, flush=True)
time.sleep(600)`;
  const refused = await failure(gestaltd.call('StartPlugin', plugin(id, { args: ['-c', noise] })));
  expect(refused).toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('does not accept'),
  });
  // It was printed: all of it would be 3.6 MB for each session in a list, and gestaltd takes 4 MiB of all of them.
  await expect
    .poll(() => gestaltd.logs(id).filter(({ message }) => message.startsWith('漢漢')).length, patient)
    .toBeGreaterThan(20);
  const told = await gestaltd.call<Session>('GetSession', { sessionId: id });
  expect(told).toMatchObject({ state: 'failed', stateReason: 'start' });
  expect(told.stateMessage).toMatch(/^the plugin does not accept/);
  expect(Buffer.byteLength(told.stateMessage ?? '')).toBeLessThan(8192);
  expect(await gestaltd.call('ListSessions')).toMatchObject({ sessions: [{ id }] });
});

test('the end of a plugin becomes the state of its session, with the reason', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure({ memory: '64Mi' });
  const run = async (script: string) => {
    const session = await readySession(gestaltd, image);
    const listening = `import socket,sys,threading,time,os
path=os.environ['GESTALT_PLUGIN_SOCKET']
s=socket.socket(socket.AF_UNIX); s.bind(path); s.listen()
c,_=s.accept(); c.recv(99); c.sendall(bytes([0,0,0,4,0,0,0,0,0]))
while not os.path.exists(os.path.dirname(path) + '/go'): time.sleep(0.05)
${script}`;
    const { dialTarget } = await gestaltd.call<{ dialTarget: string }>(
      'StartPlugin',
      plugin(session.id, { args: ['-c', listening] }),
    );
    // Not before it was told to run.
    writeFileSync(join(dirname(dialTarget.slice('unix://'.length)), 'go'), '');
    const state = async () => await gestaltd.call<Session>('GetSession', { sessionId: session.id });
    await expect.poll(async () => (await state()).state, patient).not.toBe('running');
    return await state();
  };
  expect(await run('sys.exit(3)')).toMatchObject({
    state: 'failed',
    stateReason: 'exited',
    stateMessage: 'the plugin exited with code 3',
  });
  expect(await run('sys.exit(0)')).toMatchObject({ state: 'stopped', stateReason: 'exited' });
  expect(await run('x = []\nwhile True: x.append(bytearray(8 * 2**20))')).toMatchObject({
    state: 'failed',
    stateReason: 'oom',
  });
});

test('an image that is not to be had fails the session, in words', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const session = await readySession(gestaltd, '127.0.0.1:1/none:1');
  expect(session).toMatchObject({
    state: 'failed',
    stateReason: 'image',
    stateMessage: expect.stringContaining('127.0.0.1:1/none:1'),
  });
  await expect.poll(() => gestaltd.logs(session.id).length).toBeGreaterThan(0);
});

test('under a policy only the relay can be reached: not the network, not this machine', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const relay = createServer((_request, response) => response.end('relayed'));
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const { port } = relay.address() as AddressInfo;
  const other = createServer((_request, response) => response.end('other'));
  await new Promise<void>((resolve) => other.listen(0, '0.0.0.0', resolve));
  const subnet = await docker(
    'network',
    'inspect',
    'bridge',
    '--format',
    '{{(index .IPAM.Config 0).Subnet}}',
  );
  const gateway = subnet.replace(/\.0\/\d+\s*$/, '.1');
  const direct = `${gateway}:${(other.address() as AddressInfo).port}`;
  const look = `
import os, socket, time, urllib.request
def ask(address):
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open('http://' + address, timeout=30).read().decode()
    except OSError as error:
        return 'no: ' + str(error)
print('relay', ask(os.environ['HTTP_PROXY'].split('@')[1]), flush=True)
print('direct', ask('${direct}'), flush=True)
print('interfaces', sorted(name for _, name in socket.if_nameindex()), flush=True)
raise SystemExit(1)
`;
  /** Once its last line is there. */
  const logsOf = async (more: object) => {
    const { id } = await readySession(gestaltd, image);
    await failure(gestaltd.call('StartPlugin', plugin(id, { args: ['-c', look], ...more })));
    const logs = () => gestaltd.logs(id).map(({ message }) => message);
    await expect.poll(() => logs().join('\n'), patient).toContain('interfaces ');
    return logs();
  };
  const proxy = `http://gestalt-egress-proxy:token@127.0.0.1:${port}`;
  const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const closed = await logsOf({ env, allowedHosts: ['api.example.com', '127.0.0.1'], defaultAction: 'deny' });
  expect(closed).toEqual(
    expect.arrayContaining(['relay relayed', expect.stringMatching(/^direct no:/), "interfaces ['lo']"]),
  );
  // Negative control: without a policy the same plugin reaches this machine.
  const open = await logsOf({
    env: { HTTP_PROXY: '', X: '' },
    args: ['-c', look.replace(/^print\('relay'.*$/m, '')],
  });
  expect(open).toContain('direct other');
  // Hosts by name, and no proxy that tells them apart: that cannot be held, and is refused.
  const { id } = await readySession(gestaltd, image);
  expect(
    await failure(gestaltd.call('StartPlugin', plugin(id, { allowedHosts: ['api.example.com'] }))),
  ).toMatchObject({ code: 'FAILED_PRECONDITION' });
  relay.close();
  other.close();
});

test('workspaces are made inside the session, once, and nothing of a failed one is left', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const { id } = await readySession(gestaltd, image);
  const prepare = (agentSessionId: string, workspace: object) =>
    gestaltd.call<{ workspace: { root: string; cwd: string } }>('PrepareWorkspace', {
      sessionId: id,
      agentSessionId,
      workspace,
    });
  const code = { url: 'file:///srv/code', ref: 'v1', path: 'code' };
  expect(await failure(prepare('a', { checkouts: [code], cwd: 'code' }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  await gestaltd.call('StartPlugin', plugin(id));
  const inside = (...argv: string[]) => docker('exec', `rtg-${id}`, ...argv).then((text) => text.trim());

  const made = await prepare('a', {
    checkouts: [code, { ...code, ref: '', path: 'latest' }],
    cwd: 'code/src',
  });
  expect(made.workspace).toEqual({
    root: expect.stringMatching(/^\//),
    cwd: `${made.workspace.root}/code/src`,
  });
  expect(await inside('cat', `${made.workspace.cwd}/file`)).toBe('one');
  expect(await inside('cat', `${made.workspace.root}/latest/src/file`)).toBe('two');
  expect(
    await prepare('a', { checkouts: [code, { ...code, ref: '', path: 'latest' }], cwd: 'code/src' }),
  ).toEqual(made);
  expect(await failure(prepare('a', { checkouts: [code], cwd: 'code' }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });

  for (const [name, workspace, message] of [
    ['no-ref', { checkouts: [{ ...code, ref: 'none' }], cwd: 'code' }, /fetch origin/],
    ['no-repo', { checkouts: [{ ...code, url: 'file:///srv/none' }], cwd: 'code' }, /clone/],
    ['no-cwd', { checkouts: [code], cwd: 'code/none' }, /code\/none/],
    ['up', { checkouts: [{ ...code, path: '../up' }], cwd: '../up' }, /relative path/],
    [
      'option',
      { checkouts: [{ ...code, url: '--upload-pack=touch /tmp/x' }], cwd: 'code' },
      /not the address/,
    ],
    [
      'password',
      { checkouts: [{ ...code, url: 'https://u:p@example.com/x' }], cwd: 'code' },
      /not the address/,
    ],
  ] as const) {
    expect((await failure(prepare(name, workspace)))?.message, name).toMatch(message);
    expect(await inside('sh', '-c', `ls ${made.workspace.root}/..`)).toBe('a');
  }
  await gestaltd.call('RemoveWorkspace', { sessionId: id, agentSessionId: 'a' });
  await gestaltd.call('RemoveWorkspace', { sessionId: id, agentSessionId: 'a' });
  expect(await inside('sh', '-c', `ls ${made.workspace.root}/.. | wc -l`)).toBe('0');
});

test('host services bound by an old gestaltd are sockets inside the session', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const service = createUnixServer((socket) => socket.end('served'));
  const path = join(gestaltd.dir, 'host-0.sock');
  await new Promise<void>((resolve) => service.listen(path, resolve));
  const { id } = await readySession(gestaltd, image);
  const relay = { dialTarget: `unix://${path}` };
  expect(
    await gestaltd.call('BindHostService', { sessionId: id, envVar: 'GESTALT_INDEXEDDB_SOCKET', relay }),
  ).toMatchObject({
    sessionId: id,
    envVar: 'GESTALT_INDEXEDDB_SOCKET',
    relay,
  });
  const look = `import os,socket
s=socket.socket(socket.AF_UNIX); s.connect(os.environ['GESTALT_INDEXEDDB_SOCKET']); print(s.recv(99).decode(), flush=True); raise SystemExit(1)`;
  await failure(gestaltd.call('StartPlugin', plugin(id, { args: ['-c', look] })));
  await logged(gestaltd, id, 'served');
  service.close();
});

test('what a provider has made is gone 2 s after SIGTERM, and after its death with the next start; others stay', async () => {
  const second = await startGestaltd();
  await second.configure();
  const other = await readySession(second, image);
  await second.call('StartPlugin', plugin(other.id));
  // Until it has ended, and all is gone: what an engine has no time for is left to the next start.
  const gone = async () => {
    const first = await startGestaltd();
    await first.configure();
    const mine = await readySession(first, image);
    await first.call('StartPlugin', plugin(mine.id));
    const ms = await first.stop();
    expect(existsSync(first.dir)).toBe(true);
    return (await containers(`name=rtg-${mine.id}`)).length === 0 ? ms : Number.POSITIVE_INFINITY;
  };
  expect(await shortest(2000, gone)).toBeLessThan(2000);
  expect(await containers(`name=rtg-${other.id}`)).toHaveLength(1);

  second.provider.kill('SIGKILL');
  await new Promise((resolve) => second.provider.once('exit', resolve));
  expect(await containers(`name=rtg-${other.id}`)).toHaveLength(1);
  const third = await startGestaltd();
  await third.configure();
  await expect.poll(() => containers(`name=rtg-${other.id}`), patient).toEqual([]);
});

test('a provider whose gestaltd was killed ends', async () => {
  const dir = await temporaryDirectory();
  const parent = { GESTALT_PLUGIN_SOCKET: join(dir, 'plugin.sock'), GESTALT_PLUGIN_PARENT_PID: '1999999' };
  expect(await runRuntime(['provider', 'gestalt'], parent)).toMatchObject({ code: 0 });
  expect(existsSync(parent.GESTALT_PLUGIN_SOCKET)).toBe(false);
});

const logged = (gestaltd: TestGestaltd, session: string, line: string) =>
  expect.poll(() => gestaltd.logs(session).map(({ message }) => message), patient).toContain(line);
