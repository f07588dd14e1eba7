import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { baseImage } from '../../support/container/docker.ts';
import { canMount } from '../../support/container/mountTmpfs.ts';
import { aSpec } from '../../support/host/aSpec.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { startModelLoop } from '../../support/host/modelLoop.ts';
import { type SecondDocker, secondDocker } from '../../support/host/secondDocker.ts';
import { shellInstances } from '../../support/host/shellInstances.ts';
import { signal, type TestDocker, testDocker } from '../../support/host/testDocker.ts';
import { isRunning } from '../../support/process/isRunning.ts';

const { tag: image, missing } = await baseImage();
const cannot = missing || !canMount || process.env.DOCKER_HOST !== undefined;

describe.skipIf(cannot).each([true, false])('an engine that dies, live-restore %s', (liveRestore) => {
  let docker: SecondDocker;
  let host: TestDocker;
  beforeAll(async () => {
    docker = await secondDocker(image, liveRestore);
    const networks = { type: 'existing', name: 'none' } as const;
    host = await testDocker({ image, socket: docker.socket, networks });
  }, 300_000);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await docker?.[Symbol.asyncDispose]();
  });

  test('a watch is over, calls are unavailable, and everything is found again afterwards', async () => {
    const { engine } = host;
    await host.run('rt-stays', 'while :; do sleep 1; done');
    await host.run('rt-ends', 'sleep 3; exit 5');
    await engine.create(host.spec('rt-waits', 'true'), signal());
    const before = (await engine.inspect('rt-stays', signal()))!;
    const watch = await engine.watch(() => undefined, signal());
    const ending = Number(docker.cli('inspect', '-f', '{{.State.Pid}}', 'rt-ends'));
    await docker.kill();
    await watch.ended;
    expect(await failureOf(engine.list(signal()))).toBe('unavailable');
    expect(await failureOf(engine.inspect('rt-stays', signal()))).toBe('unavailable');
    expect(await failureOf(engine.watch(() => undefined, signal()))).toBe('unavailable');
    // It ends while nobody looks.
    await expect.poll(() => isRunning(ending)).toBe(false);
    await docker.start();

    const after = new Map((await engine.list(signal())).map((one) => [one.name, one]));
    expect([...after.keys()].sort()).toEqual(['rt-ends', 'rt-stays', 'rt-waits']);
    expect(after.get('rt-waits')?.state).toBe('created');
    const stays = after.get('rt-stays')!;
    expect(stays.id).toBe(before.id);
    expect(stays.startedAt).toBe(before.startedAt);
    expect(stays.state).toBe(liveRestore ? 'running' : 'ended');
    expect(after.get('rt-ends')?.state).toBe('ended');
    // It has run: nobody starts it a second time, whatever the engine did to it.
    expect(await failureOf(engine.start('rt-stays', signal()))).toBe('conflict');
    expect(await failureOf(engine.start('rt-ends', signal()))).toBe('conflict');
    await engine.start('rt-waits', signal());
  }, 300_000);

  test('one that is told to end stops its instances in their time, or leaves them alone', async () => {
    const { engine } = host;
    const script = "trap 'exit 6' TERM; touch /tmp/ready; while :; do sleep 0.1; done";
    await host.run('rt-orderly', script, { stopTimeoutMs: 60_000 });
    // Before that a first process ignores the signal.
    await host.inside('rt-orderly', 'until [ -e /tmp/ready ]; do sleep 0.1; done');
    await docker.stop();
    await docker.start();
    const after = await engine.inspect('rt-orderly', signal());
    if (liveRestore) expect(after?.state).toBe('running');
    else expect(after).toMatchObject({ state: 'ended', exitCode: 6 });
  }, 300_000);

  test('a host stops none of its bots for it, starts those that are gone again, and none twice', async () => {
    const script = 'while :; do sleep 0.2; done';
    const loop = startModelLoop({ engine: host.engine, instances: shellInstances(host, script) });
    const names = ['bot-a', 'bot-b', 'bot-c'];
    const lives = async () =>
      (await host.engine.list(signal()))
        .filter(({ bot, state }) => names.includes(bot) && state === 'running')
        .map(({ bot, id }) => `${bot} ${id}`)
        .sort();
    const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 150_000, interval: 300 });
    const allRun = async () => expect((await lives()).map((one) => one.split(' ')[0])).toEqual(names);
    try {
      loop.list(...names.map((name) => aSpec({ name })));
      await until(allRun);
      const before = await lives();
      await docker.kill();
      await until(async () => expect(loop.loop.engine.answers).toBe(false));
      await docker.start();
      await until(async () => expect(loop.loop.engine.answers).toBe(true));
      await until(allRun);
      const after = await lives();
      if (liveRestore) expect(after).toEqual(before);
      else expect(after.filter((one) => before.includes(one))).toEqual([]);
      const told = () => loop.events.filter(({ bot }) => bot !== undefined && names.includes(bot));
      const begun = () => told().filter(({ type }) => type === 'started' || type === 'restarting');
      // The engine shows an instance before its start is answered, and told of.
      await until(async () => expect(begun().length).toBe(names.length * (liveRestore ? 1 : 2)));
      expect(told().filter(({ type }) => type === 'stopping')).toEqual([]);
    } finally {
      await loop.stop();
    }
  }, 400_000);

  test('one that stands still is unavailable within the time limit', async () => {
    await docker.suspend();
    // A timer of this process: where that stands still as well, both are late, and the earlier one is still the first.
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
    }, 15_000);
    try {
      expect(await failureOf(host.engine.list(signal()))).toBe('unavailable');
      expect(isLate).toBe(false);
    } finally {
      clearTimeout(timer);
      docker.resume();
    }
    await vi.waitFor(() => host.engine.list(signal()), { timeout: 150_000, interval: 300 });
  }, 300_000);
});
