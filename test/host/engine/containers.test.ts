import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { lifeOfContainers } from '../../../src/host/engine/docker/containers/lifeOfContainers.ts';
import { createDockerClient } from '../../../src/host/engine/docker/http/dockerClient.ts';
import { parseEngineAddress } from '../../../src/host/engine/docker/http/engineAddress.ts';
import { baseImage, docker } from '../../support/container/docker.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { signal, type TestDocker, testDocker } from '../../support/host/testDocker.ts';
import { memoryLog } from '../../support/memoryLog.ts';

const { tag: image, missing } = await baseImage();

describe.skipIf(missing)('containers of the Docker driver', () => {
  let host: TestDocker;
  beforeAll(async () => {
    host = await testDocker({ image });
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  test('one life: created, running, ended; it runs once, and its name is free only when it is retired or removed', async () => {
    const { engine } = host;
    await engine.create(
      host.spec('rtr-1-one', 'echo out; echo err >&2; exit 7', {
        role: 'run',
        run: 1_700_000_000_000,
        hash: 'abc',
      }),
      signal(),
    );
    expect(await engine.inspect('rtr-1-one', signal())).toMatchObject({
      name: 'rtr-1-one',
      bot: 'rtr-1-one',
      role: 'run',
      run: 1_700_000_000_000,
      hash: 'abc',
      state: 'created',
      startedAt: undefined,
      exitCode: undefined,
    });
    expect(await failureOf(engine.create(host.spec('rtr-1-one', 'true'), signal()))).toBe('conflict');
    await engine.start('rtr-1-one', signal());
    await host.untilEnded('rtr-1-one');
    const ended = await engine.inspect('rtr-1-one', signal());
    expect(ended).toMatchObject({ state: 'ended', exitCode: 7, outOfMemory: false, address: undefined });
    expect(ended!.endedAt! - ended!.startedAt!).toBeGreaterThanOrEqual(0);
    expect(await failureOf(engine.start('rtr-1-one', signal()))).toBe('conflict');
    expect((await engine.inspect('rtr-1-one', signal()))?.startedAt).toBe(ended?.startedAt);

    const text = { stdout: '', stderr: '' };
    for await (const { stream, bytes } of engine.logs(
      'rtr-1-one',
      { tail: undefined, follow: false },
      signal(),
    ))
      text[stream] += Buffer.from(bytes);
    expect(text).toEqual({ stdout: 'out\n', stderr: 'err\n' });

    await engine.retire('rtr-1-one', 'rtd-2-one', signal());
    await engine.retire('rtr-1-one', 'rtd-2-one', signal());
    expect(await engine.inspect('rtr-1-one', signal())).toBeUndefined();
    expect((await engine.list(signal())).map(({ name }) => name)).toEqual(['rtd-2-one']);
    await engine.remove('rtd-2-one', signal());
    await engine.remove('rtd-2-one', signal());
    expect(await engine.list(signal())).toEqual([]);
  });

  test('stop asks and returns; kill ends; what runs is neither started, retired nor removed', async () => {
    const { engine } = host;
    await host.run('rt-deaf', "trap '' TERM; while :; do sleep 0.1; done");
    for (const call of [
      () => engine.start('rt-deaf', signal()),
      () => engine.retire('rt-deaf', 'rtd-deaf', signal()),
      () => engine.remove('rt-deaf', signal()),
    ])
      expect(await failureOf(call())).toBe('conflict');
    await engine.stop('rt-deaf', 1000, signal());
    expect((await engine.inspect('rt-deaf', signal()))?.state).toBe('running');
    await docker('pause', 'rt-deaf');
    await engine.stop('rt-deaf', 1000, signal());
    await engine.kill('rt-deaf', signal());
    await host.untilEnded('rt-deaf');
    expect((await engine.inspect('rt-deaf', signal()))?.exitCode).toBe(137);
    await engine.stop('rt-deaf', 1000, signal());
    await engine.kill('rt-deaf', signal());
    expect(await failureOf(engine.start('rt-nobody', signal()))).toBe('not-found');
    await engine.stop('rt-nobody', 1000, signal());
    await engine.remove('rt-deaf', signal());
  });

  test('a container is told to stop once it listens: the kernel drops a signal that the first process has not asked for', async () => {
    // Has no child and asks for nothing until it is let on, as tini in its first milliseconds.
    const script = 'until [ -e /tmp/on ]; do :; done; trap "exit 9" TERM; sleep 600 & wait';
    await using mine = await testDocker({ image });
    await mine.run('rt-late', script);
    let looks = 0;
    const clock: Clock = {
      ...systemClock,
      now: () => 0,
      sleep: async () => {
        looks += 1;
        await mine.inside('rt-late', 'touch /tmp/on');
      },
    };
    const client = createDockerClient(parseEngineAddress(undefined));
    const { log } = memoryLog();
    const life = lifeOfContainers({ client, host: mine.host, bootedAt: undefined, clock, log });
    await life.stop('rt-late', 1000, signal());
    await mine.untilEnded('rt-late');
    expect((await mine.engine.inspect('rt-late', signal()))?.exitCode).toBe(9);
    expect(looks).toBeGreaterThan(0);
    // One that is no longer young is not looked at.
    await mine.run('rt-old', script);
    const [before, later] = [looks, { ...clock, now: () => Date.now() + 60_000 }];
    await lifeOfContainers({ client, host: mine.host, bootedAt: undefined, clock: later, log }).stop(
      'rt-old',
      1000,
      signal(),
    );
    expect(looks).toBe(before);
    client.close();
  });

  test('nothing without our label is seen or touched, nor what another host on the engine has made', async () => {
    await using other = await testDocker({ image });
    await other.run('rt-theirs', 'sleep 60');
    const { engine } = host;
    expect(await engine.inspect('rt-theirs', signal())).toBeUndefined();
    expect(await engine.list(signal())).toEqual([]);
    await engine.stop('rt-theirs', 1000, signal());
    await engine.kill('rt-theirs', signal());
    await engine.remove('rt-theirs', signal());
    expect(await failureOf(engine.retire('rt-theirs', 'x', signal()))).toBe('not-found');
    expect(await failureOf(engine.create(host.spec('rt-theirs', 'true'), signal()))).toBe('conflict');
    const taken = (name: string) => engine.isTaken(name, signal());
    expect([await taken('rt-theirs'), await taken('rt-nobodys')]).toEqual([true, false]);
    expect(await other.engine.isTaken('rt-theirs', signal())).toBe(false);
    const theirs = await other.engine.inspect('rt-theirs', signal());
    expect(theirs?.state).toBe('running');
    // The engine takes the beginning of an id for a name.
    expect(await other.engine.inspect(theirs!.id.slice(0, 12), signal())).toBeUndefined();
  });

  test('a bot has no capability, no way to gain one, no swap, bounded processes, and cannot write to its root', async () => {
    await host.run('rt-closed', 'sleep 60', { secretEnv: { KEY: new Secret('k') } });
    const status = (await host.inside('rt-closed', 'cat /proc/self/status')).text;
    expect(status).toMatch(/CapEff:\s+0{16}/);
    expect(status).toMatch(/CapBnd:\s+0{16}/);
    expect(status).toMatch(/NoNewPrivs:\s+1/);
    expect(status).toMatch(/Seccomp:\s+2/);
    expect(status).toMatch(/Uid:\s+200001/);
    expect((await host.inside('rt-closed', 'echo x >/root.txt')).text).toContain('Read-only');
    expect((await host.inside('rt-closed', 'echo x >/tmp/x && cat /tmp/x')).text).toBe('x\n');
    expect((await host.inside('rt-closed', 'ls /var/run/docker.sock /run/docker.sock')).exit).not.toBe(0);
    expect((await host.inside('rt-closed', 'ulimit -c')).text).toBe('0\n');
    const [details] = JSON.parse(await docker('inspect', 'rt-closed'));
    expect(details.HostConfig).toMatchObject({
      Memory: 64 * 1024 * 1024,
      MemorySwap: 64 * 1024 * 1024,
      PidsLimit: 64,
      CpuShares: 205,
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '2' } },
      Privileged: false,
      Init: false,
    });
    const bomb = 'i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done; wait';
    expect((await host.inside('rt-closed', bomb)).text).toMatch(/[Cc]annot fork/);
  });

  test('one that needs more memory than it has is ended, and said to be so', async () => {
    await host.run('rt-greedy', 'exec tail /dev/zero', {
      resources: { memoryBytes: 16 * 1024 * 1024, cpuMillis: 500, cpuLimit: true, pids: 16, diskBytes: 1 },
    });
    const [details] = JSON.parse(await docker('inspect', 'rt-greedy'));
    expect(details.HostConfig.NanoCpus).toBe(500_000_000);
    await host.untilEnded('rt-greedy');
    expect(await host.engine.inspect('rt-greedy', signal())).toMatchObject({
      exitCode: 137,
      outOfMemory: true,
    });
  });

  test('a listing is of all states, and says of each what a look at it says', async () => {
    await host.run('rt-now', 'sleep 60');
    await host.run('rt-then', 'exit 3');
    await host.engine.create(host.spec('rt-soon', 'true'), signal());
    await host.untilEnded('rt-then');
    for (let round = 0; round < 2; round += 1) {
      const listed = await host.engine.list(signal());
      for (const name of ['rt-now', 'rt-then', 'rt-soon'])
        expect(listed.find((one) => one.name === name)).toEqual(await host.engine.inspect(name, signal()));
    }
    await host.engine.kill('rt-now', signal());
    await host.untilEnded('rt-now');
    const after = await host.engine.list(signal());
    expect(after.find(({ name }) => name === 'rt-now')).toMatchObject({ state: 'ended', exitCode: 137 });
  });

  test('a start that the engine cannot do is told by the instance, and its reason too', async () => {
    const { engine } = host;
    await engine.create({ ...host.spec('rt-no', ''), entrypoint: ['/no/such/program'] }, signal());
    expect(await failureOf(engine.start('rt-no', signal()))).toMatch(/refused|unavailable/);
    const left = await engine.inspect('rt-no', signal());
    expect(left?.startedAt).toBeUndefined();
    expect(left?.error).toContain('/no/such/program');
  });
});
