import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials } from '../../src/base/parts/grpc.ts';
import { loadServices } from '../../src/protocol/gestalt/services.ts';
import { anonymousMiB, median, printTable, sideBySide } from './lib.ts';

/** The Gestalt provider: what a session costs beside `docker run` of the same container, in turns. */
const RUNS = Number(process.argv[2] ?? 10);
const SESSIONS = Number(process.env.BENCH_SESSIONS ?? 10);
const ASKED = 1000;

const root = join(import.meta.dirname, '../..');
const image = 'runtime-test-gestalt:plugin';
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
run(join(root, 'scripts/gestalt-parts'), 'image', image);
run(join(root, 'scripts/gestalt-parts'), 'relay', join(root, 'dist/session-relay'));

/** The least that a plugin is: it listens, and greets as HTTP/2 does. */
const PLUGIN = `
import os, socket, threading
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ.get('GESTALT_PLUGIN_SOCKET', '/tmp/plugin.sock'))
server.listen()
print('listens', flush=True)
while True:
    client, _ = server.accept()
    client.sendall(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
`;

const dir = mkdtempSync(join(tmpdir(), 'gstp-'));
const socket = join(dir, 'plugin.sock');
const provider = spawn(join(root, 'dist/runtime'), ['provider', 'gestalt'], {
  env: {
    PATH: process.env.PATH,
    GESTALT_PLUGIN_SOCKET: socket,
    GESTALT_PLUGIN_PARENT_PID: String(process.pid),
  },
  stdio: ['ignore', 'ignore', 'ignore'],
});
try {
  while (!existsSync(socket)) await sleep(10);
  const services = loadServices();
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
  });
  const call = <T>(
    name: string,
    request: object,
    service: keyof typeof services = 'PluginRuntimeProvider',
  ) => {
    const method = services[service][name]!;
    return new Promise<T>((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, answer) => (error ? reject(error) : resolve(answer as T)),
      );
    });
  };
  await call('ConfigureProvider', { name: 'box', protocolVersion: 3 }, 'ProviderLifecycle');
  const start = async () => {
    const { id } = await call<{ id: string }>('StartSession', { pluginName: 'p', image });
    while ((await call<{ state: string }>('GetSession', { sessionId: id })).state === 'pending')
      await sleep(5);
    await call('StartPlugin', { sessionId: id, pluginName: 'p', command: 'python3', args: ['-c', PLUGIN] });
    return id;
  };
  const stop = (sessionId: string) => call('StopSession', { sessionId });

  const figures = await sideBySide(RUNS, {
    session: async () => {
      const began = performance.now();
      const id = await start();
      const took = performance.now() - began;
      await stop(id);
      return took;
    },
    docker: async () => {
      const name = `bench-gestalt-${process.pid}`;
      const began = performance.now();
      const child = spawn(
        'docker',
        ['run', '--rm', '--name', name, '--entrypoint', 'python3', image, '-c', PLUGIN],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      await once(child.stdout, 'data');
      const took = performance.now() - began;
      // This one alone: others may run containers of the same image.
      run('docker', 'kill', name);
      await once(child, 'exit');
      return took;
    },
  });

  const idle = anonymousMiB(provider.pid!);
  const sessions: string[] = [];
  for (let i = 0; i < SESSIONS; i += 1) sessions.push(await start());
  const asked: number[] = [];
  for (let i = 0; i < ASKED; i += 1) {
    const began = performance.now();
    await call('GetSession', { sessionId: sessions[i % sessions.length]! });
    asked.push(performance.now() - began);
  }
  const full = anonymousMiB(provider.pid!);
  await Promise.all(sessions.map(stop));
  client.close();

  printTable(`Gestalt, medians of ${RUNS}, in turns`, [
    ['StartSession to a plugin that accepts', `${figures.session!.toFixed(0)} ms`],
    ['`docker run` of the same, to its first line', `${figures.docker!.toFixed(0)} ms`],
    [`GetSession, of ${ASKED}`, `${median(asked).toFixed(2)} ms`, '1 ms'],
    ['provider without a session, anonymous', `${idle.toFixed(1)} MiB`],
    [`… with ${SESSIONS} sessions`, `${full.toFixed(1)} MiB`],
  ]);
} finally {
  provider.kill('SIGTERM');
  await once(provider, 'exit');
  rmSync(dir, { recursive: true, force: true });
}
