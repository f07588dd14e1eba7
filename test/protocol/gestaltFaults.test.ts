import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { docker } from '../support/container/docker.ts';
import { pluginImage, sessionRelay, startGestaltd } from '../support/gestalt/gestaltd.ts';
import {
  containers,
  failure,
  patient,
  plugin,
  readySession,
  type Session,
} from '../support/gestalt/sessions.ts';
import { took } from '../support/process/shortest.ts';
import { startFaultProxy } from '../support/store/faultProxy.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 300_000 });

let image: string;
beforeAll(async () => {
  [image] = await Promise.all([pluginImage(), sessionRelay()]);
});

/** gestaltd, and an engine that the test may let fail. */
async function behindProxy() {
  const proxy = await startFaultProxy({ socketPath: '/var/run/docker.sock' });
  const gestaltd = await startGestaltd();
  onTestFinished(() => proxy.close());
  await gestaltd.configure({ engine: `tcp://127.0.0.1:${proxy.port}` });
  const state = (sessionId: string) => gestaltd.call<Session>('GetSession', { sessionId });
  return { proxy, gestaltd, state };
}
const on = (method: string, part: RegExp) => (request: { method: string; path: string }) =>
  request.method === method && part.test(request.path);
const anything = () => true;

test('an engine that is away fails no session: one that begins waits for it, one that lives runs on, one that is stopped goes when it is back', async () => {
  const { proxy, gestaltd, state } = await behindProxy();
  const back = proxy.inject({ when: on('GET', /\/images\//), fault: { reset: true }, times: 3 });
  const { id, state: ready } = await readySession(gestaltd, image);
  expect(ready).toBe('ready');
  back();
  await gestaltd.call('StartPlugin', plugin(id));
  const away = proxy.inject({ when: anything, fault: { hang: true }, times: 10_000 });
  expect(await state(id)).toMatchObject({ state: 'running' });
  await expect
    .poll(() => took(() => gestaltd.call('StopSession', { sessionId: id })), patient)
    .toBeLessThan(3000);
  expect(await containers(`name=rtg-${id}`)).toHaveLength(1);
  away();
  await expect.poll(() => containers(`name=rtg-${id}`), patient).toEqual([]);
});

test('a start that the engine refuses is UNAVAILABLE while it is away, and says so', async () => {
  const { proxy, gestaltd } = await behindProxy();
  const { id } = await readySession(gestaltd, image);
  proxy.inject({ when: on('POST', /\/containers\/create/), fault: { reset: true } });
  expect(await failure(gestaltd.call('StartPlugin', plugin(id)))).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('could not be started'),
  });
  // Listed with the reason until gestaltd lets go of it.
  expect(await gestaltd.call('ListSessions')).toMatchObject({ sessions: [{ id, stateReason: 'start' }] });
  await gestaltd.call('StopSession', { sessionId: id });
  expect(await gestaltd.call('ListSessions')).toEqual({});
});

test.each([/\/containers\/create/, /\/start/])(
  'a session that is stopped while the engine is at %s leaves no container',
  async (step) => {
    const { proxy, gestaltd } = await behindProxy();
    const { id } = await readySession(gestaltd, image);
    const stopped = Promise.withResolvers<void>();
    proxy.inject({ when: on('POST', step), fault: { until: stopped.promise } });
    const started = failure(gestaltd.call('StartPlugin', plugin(id)));
    await expect.poll(() => proxy.requests.some(on('POST', step)), patient).toBe(true);
    await gestaltd.call('StopSession', { sessionId: id });
    stopped.resolve();
    expect(await started).toBeDefined();
    // What the engine was at is done.
    await expect.poll(() => proxy.requests.find(on('POST', step))?.isOver, patient).toBe(true);
    await expect.poll(() => containers(`name=rtg-${id}`), patient).toEqual([]);
  },
);

test('a container that is removed behind our back is told as removed, also when nobody saw it go', async () => {
  const { proxy, gestaltd, state } = await behindProxy();
  const { id } = await readySession(gestaltd, image);
  await gestaltd.call('StartPlugin', plugin(id));
  // The stream of its output breaks with it, and what comes after is asked of an engine that knows nothing of it.
  const away = proxy.inject({ when: on('GET', /\/containers\//), fault: { reset: true }, times: 10_000 });
  await docker('rm', '--force', `rtg-${id}`);
  await sleep(1000);
  expect(await state(id)).toMatchObject({ state: 'running' });
  away();
  await expect.poll(() => state(id), patient).toMatchObject({ state: 'failed', stateReason: 'removed' });
});

test('a plugin that runs as another user of the image makes its socket, and gestaltd may connect to it', async () => {
  const made = (await docker('create', image)).trim();
  const tag = 'runtime-test-gestalt:user';
  await docker('commit', '--change', 'USER 1234:1234', made, tag);
  await docker('rm', made);
  onTestFinished(async () => void (await docker('rmi', tag)));
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const { id } = await readySession(gestaltd, tag);
  const { dialTarget } = await gestaltd.call<{ dialTarget: string }>('StartPlugin', plugin(id));
  expect(statSync(dialTarget.slice('unix://'.length)).mode & 0o777).toBe(0o777);
  await gestaltd.call('StopSession', { sessionId: id });
});

test('no line of 10 MB is lost to a log host that is away for 5 s, lines are whole, numbers go up, huge ones are cut', async () => {
  const gestaltd = await startGestaltd();
  await gestaltd.configure();
  const { id } = await readySession(gestaltd, image);
  const script = `
import sys
print('first', flush=True)
for n in range(10500): print(n, 'x' * 1000)
print('last', '😀' * 100_000, 'last', flush=True)
raise SystemExit(1)`;
  const failed = failure(gestaltd.call('StartPlugin', plugin(id, { args: ['-c', script] })));
  await expect
    .poll(() => gestaltd.logs(id).some(({ message }) => message === 'first'), {
      ...patient,
      interval: 5,
    })
    .toBe(true);
  gestaltd.away(true);
  await sleep(5000);
  gestaltd.away(false);
  expect(await failed).toMatchObject({
    code: 'INTERNAL',
    message: expect.stringMatching(/last\n\[runtime\] the plugin exited with code 1$/),
  });
  await expect
    .poll(() => gestaltd.logs(id).some(({ message }) => message.endsWith('last')), patient)
    .toBe(true);
  const lines = gestaltd.logs(id).filter(({ stream }) => stream === 'PLUGIN_RUNTIME_LOG_STREAM_STDOUT');
  const numbered = lines.filter(({ message }) => /^\d+ x{1000}$/.test(message));
  expect(numbered.map(({ message }) => Number.parseInt(message, 10))).toEqual(
    Array.from({ length: 10_500 }, (_, at) => at),
  );
  expect(lines.map(({ message }) => message).join('')).toContain('😀'.repeat(1000));
  const order = gestaltd.logs(id).map(({ sourceSeq }) => Number(sourceSeq));
  expect(order).toEqual(order.map((_, at) => at + 1));
});

test('five providers of one gestaltd start at once; four that are closed take nothing of the fifth', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => startGestaltd()));
  await Promise.all(all.map((gestaltd) => gestaltd.configure()));
  const [kept, ...others] = all;
  const { id } = await readySession(kept!, image);
  await kept!.call('StartPlugin', plugin(id));
  const closed = await readySession(others[0]!, image);
  await others[0]!.call('StartPlugin', plugin(closed.id));
  await Promise.all(others.map((gestaltd) => gestaltd.stop()));
  expect(await containers(`name=rtg-${closed.id}`)).toEqual([]);
  expect(await containers(`name=rtg-${id}`)).toHaveLength(1);
  expect(await kept!.call('GetSession', { sessionId: id })).toMatchObject({ state: 'running' });
});

test('a provider that is killed while it starts a plugin leaves what the next one clears', async () => {
  const first = await startGestaltd();
  await first.configure();
  const { id } = await readySession(first, image);
  void failure(first.call('StartPlugin', plugin(id, { command: 'sleep', args: ['60'] })));
  await expect.poll(() => containers(`name=rtg-${id}`), { ...patient, interval: 10 }).toHaveLength(1);
  first.provider.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${first.provider.pid}/exe`), patient).toBe(false);
  const second = await startGestaltd();
  await second.configure();
  await expect.poll(() => containers(`name=rtg-${id}`), patient).toEqual([]);
});
