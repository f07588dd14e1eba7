import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { baseImage, docker } from '../../support/container/docker.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { aSpec } from '../../support/host/aSpec.ts';
import { failureOf } from '../../support/host/failureOf.ts';
import { startModelLoop } from '../../support/host/modelLoop.ts';
import { shellInstances } from '../../support/host/shellInstances.ts';
import { signal, type TestDocker, testDocker } from '../../support/host/testDocker.ts';
import { type FaultProxy, startFaultProxy } from '../../support/store/faultProxy.ts';

const { tag: image, missing } = await baseImage();
const plain = { type: 'existing', name: 'bridge' } as const;

describe.skipIf(missing)('an engine that fails', () => {
  let proxy: FaultProxy;
  let host: TestDocker;
  beforeEach(async () => {
    proxy = await startFaultProxy({ socketPath: '/var/run/docker.sock' });
    host = await testDocker({ image, address: `tcp://127.0.0.1:${proxy.port}`, networks: plain });
  });
  afterEach(async () => {
    await host[Symbol.asyncDispose]();
    await proxy.close();
  });

  const on = (part: string) => (request: { path: string }) => request.path.includes(part);

  test.each([
    ['is cut before it answers', { reset: true }],
    ['is cut in the middle of an answer', { cutResponseAfter: 20 }],
    ['answers 500', { status: 500, code: 'x' }],
    ['answers 503', { status: 503, code: 'x' }],
    ['loses the answer', { dropResponse: true }],
  ] as const)('that %s is unavailable, and the next call is none the worse', async (_, fault) => {
    await host.run('rt-there', 'sleep 60');
    proxy.inject({ when: on('/containers/json'), fault });
    expect(await failureOf(host.engine.list(signal()))).toBe('unavailable');
    expect((await host.engine.list(signal())).map(({ name }) => name)).toEqual(['rt-there']);
    proxy.inject({ when: on('/containers/rt-there/json'), fault });
    expect(await failureOf(host.engine.inspect('rt-there', signal()))).toBe('unavailable');
    expect((await host.engine.inspect('rt-there', signal()))?.state).toBe('running');
  });

  test.each([
    ['hangs', { hang: true }],
    ['stops in the middle of an answer', { stallResponseAfter: 1 }],
  ] as const)('that %s is unavailable after 10 s', async (_, fault) => {
    proxy.inject({ when: on('/containers/json'), fault });
    const began = Date.now();
    expect(await failureOf(host.engine.list(signal()))).toBe('unavailable');
    expect(Date.now() - began).toBeGreaterThan(9_000);
    expect(await host.engine.list(signal())).toEqual([]);
  });

  test('that is slow is waited for', async () => {
    proxy.inject({ when: on('/containers/json'), fault: { delayMs: 2_000 } });
    expect(await host.engine.list(signal())).toEqual([]);
  });

  test('a listing of which one look fails is not a listing', async () => {
    await host.run('rt-one', 'sleep 60');
    await host.run('rt-two', 'sleep 60');
    const { id } = (await host.engine.inspect('rt-two', signal()))!;
    proxy.inject({ when: on(`/containers/${id}/json`), fault: { status: 500, code: 'x' } });
    expect(await failureOf(host.engine.list(signal()))).toBe('unavailable');
    expect((await host.engine.list(signal())).length).toBe(2);
  });

  test('what was done though its answer was lost is found done, and not done twice', async () => {
    const { engine } = host;
    proxy.inject({ when: on('/containers/create'), fault: { dropResponse: true } });
    expect(await failureOf(engine.create(host.spec('rt-lost', 'sleep 60'), signal()))).toBe('unavailable');
    expect(await failureOf(engine.create(host.spec('rt-lost', 'sleep 60'), signal()))).toBe('conflict');
    expect((await engine.inspect('rt-lost', signal()))?.state).toBe('created');
    proxy.inject({ when: on('/start'), fault: { dropResponse: true } });
    expect(await failureOf(engine.start('rt-lost', signal()))).toBe('unavailable');
    expect(await failureOf(engine.start('rt-lost', signal()))).toBe('conflict');
    proxy.inject({ when: on('/kill'), fault: { dropResponse: true } });
    expect(await failureOf(engine.kill('rt-lost', signal()))).toBe('unavailable');
    await host.untilEnded('rt-lost');
    proxy.inject({ when: on('/rename'), fault: { dropResponse: true } });
    expect(await failureOf(engine.retire('rt-lost', 'rtd-lost', signal()))).toBe('unavailable');
    await engine.retire('rt-lost', 'rtd-lost', signal());
    proxy.inject({
      when: ({ method }) => method === 'DELETE',
      fault: { dropResponse: true },
    });
    expect(await failureOf(engine.remove('rtd-lost', signal()))).toBe('unavailable');
    await engine.remove('rtd-lost', signal());
  });

  test('an engine that says 409 to a start has it told as a conflict', async () => {
    await host.engine.create(host.spec('rt-busy', 'true'), signal());
    proxy.inject({ when: on('/start'), fault: { status: 409, code: 'x' } });
    expect(await failureOf(host.engine.start('rt-busy', signal()))).toBe('conflict');
  });

  test('a subscription that is cut is over, and one that was refused never began', async () => {
    const over = new AbortController();
    proxy.inject({ when: on('/events'), fault: { status: 500, code: 'x' } });
    expect(await failureOf(host.engine.watch(() => undefined, over.signal))).toBe('unavailable');
    proxy.inject({ when: on('/events'), fault: { cutResponseAfter: 30 } });
    const told: (string | undefined)[] = [];
    const watch = await host.engine.watch((name) => void told.push(name), over.signal);
    await host.run('rt-event', 'true');
    await watch.ended;
    expect(told).toEqual([]);
  });

  test('a watch on an engine that no longer answers is over, and one on an engine that does goes on', async () => {
    const clock = fakeClock(Date.now());
    const slow = await testDocker({
      image,
      address: `tcp://127.0.0.1:${proxy.port}`,
      networks: plain,
      clock,
    });
    // Far behind anything that comes: with a fault, the proxy passes the head of an answer on before its body.
    proxy.inject({ when: on('/events'), fault: { cutResponseAfter: 1_000_000 } });
    const asked = () => proxy.requests.filter(({ path }) => path.endsWith('/_ping')).length;
    let ended = false;
    const told: (string | undefined)[] = [];
    const watch = await slow.engine.watch((name) => void told.push(name), signal());
    void watch.ended.then(() => {
      ended = true;
    });
    for (let beat = 0; beat < 3; beat += 1) {
      const before = asked();
      await clock.advance(20_000);
      await expect.poll(asked).toBe(before + 1);
      // The answer is read before the next sleep begins.
      await expect.poll(() => clock.sleepers).toBe(2);
    }
    expect(ended).toBe(false);
    expect(told).toEqual([]);
    // Our own process stood still: what happened meanwhile may have been thrown away.
    clock.set(clock.now() + 5_000);
    await clock.advance(500);
    expect(told).toEqual([undefined]);
    proxy.inject({ when: on('/_ping'), fault: { status: 500, code: 'x' } });
    await clock.advance(20_000);
    await watch.ended;
    await slow[Symbol.asyncDispose]();
  });

  test.each([
    // A look that hangs is given up after 10 s.
    ['hangs', { hang: true }, 1],
    ['is slow', { delayMs: 2_000 }, 3],
    ['is cut', { reset: true }, 6],
    ['is cut in the middle of an answer', { cutResponseAfter: 20 }, 6],
    ['answers 409', { status: 409, code: 'x' }, 6],
    ['answers 500', { status: 500, code: 'x' }, 6],
    ['loses its answers', { dropResponse: true }, 6],
  ] as const)(
    'that %s costs no bot of a host its life, starts none twice, and goes on',
    async (_, fault, times) => {
      const script = 'while :; do sleep 0.2; done';
      const loop = startModelLoop({ engine: host.engine, instances: shellInstances(host, script) });
      const names = ['bot-a', 'bot-b'];
      const more = [...names, 'bot-c'];
      const seen = async () =>
        (
          await docker(
            'ps',
            '--no-trunc',
            '--filter',
            `label=runtime.host=${host.host}`,
            '--format',
            '{{.Names}} {{.ID}}',
          )
        )
          .trim()
          .split('\n')
          .sort();
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 300 });
      let left = 0;
      const waits = 'hang' in fault || 'dropResponse' in fault;
      // Of those that wait for a time limit, the looks.
      const strikes = (path: string) => left > 0 && (waits ? path.includes('/json') : true);
      // With a fault, one that never strikes too, the proxy passes the head of an answer on before its body.
      const never = { cutResponseAfter: 1_000_000_000 };
      proxy.inject({
        when: ({ path }) => path.includes('/events') && !strikes(path),
        fault: never,
        times: 1_000,
      });
      try {
        loop.list(...names.map((name) => aSpec({ name })));
        await until(async () => expect(await seen()).toHaveLength(2));
        const before = await seen();
        // All calls for a while, those that create and start the third bot too.
        left = times;
        proxy.inject({ when: ({ path }) => strikes(path) && left-- > 0, fault, times });
        loop.list(...more.map((name) => aSpec({ name })));
        await until(async () => expect(await seen()).toHaveLength(3));
        expect((await seen()).filter((one) => before.includes(one))).toEqual(before);
        await until(async () => expect(loop.loop.state('bot-c').ready?.reason).toBe('Running'));
        expect(loop.events.filter(({ type }) => type === 'stopping' || type === 'ended')).toEqual([]);
      } finally {
        await loop.stop();
      }
    },
    300_000,
  );

  test('a request that its caller gives up rejects with the reason', async () => {
    const giveUp = new AbortController();
    proxy.inject({ when: on('/containers/json'), fault: { hang: true } });
    const call = host.engine.list(giveUp.signal);
    const reason = new Error('enough');
    giveUp.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test('nothing that answers, and what is not an engine', async () => {
    for (const address of ['/no/such.sock', 'tcp://127.0.0.1:1']) {
      const away = await testDocker({ image, address, networks: plain });
      expect(await failureOf(away.engine.list(signal()))).toBe('unavailable');
      await away.engine.close();
    }
    expect(await failureOf(testDocker({ image, address: 'ssh://somewhere' }))).toBe('config');
  });

  test('the image of the bots that nobody has made yet: the hint says how', async () => {
    const error = await host.engine.image('runtime:not-made-yet', signal()).catch((reason) => reason);
    expect(error.message).toMatch(
      /^image runtime:not-made-yet is not on this machine, and cannot be pulled: ./,
    );
    expect(error.hint).toContain('scripts/image makes it on this machine');
  });

  test('one pull for all who wait, one look for whoever comes later', async () => {
    // No registry is there: the pull fails, for all of them, once.
    const name = 'localhost:1/nothing/here:1';
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => failureOf(host.engine.image(name, signal()))),
    );
    expect(new Set(asked)).toEqual(new Set(['unavailable']));
    const pulls = proxy.requests.filter(({ path }) => path.includes('/images/create'));
    expect(pulls.length).toBe(1);
    const { id } = await host.engine.image(image, signal());
    expect(id).toBe((await docker('image', 'inspect', '--format', '{{.Id}}', image)).trim());
    expect(await host.engine.image(id, signal())).toEqual({ id });
    expect(await failureOf(host.engine.image(`sha256:${'0'.repeat(64)}`, signal()))).toBe('not-found');
  });
});
