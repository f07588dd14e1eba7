import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { Secret } from '../../../../../src/base/secret.ts';
import type { Sandboxes, SandboxStatus } from '../../../../../src/host/sandboxes/sandboxes.ts';
import { openFileStore } from '../../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { collect } from '../../../../support/collect.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { failureOf } from '../../../../support/host/failureOf.ts';
import { aRequest, modelServer } from '../../../../support/serve/modelServer.ts';

const until = (sandboxes: Sandboxes, id: string, status: SandboxStatus) =>
  sandboxes.until(id, [status], AbortSignal.timeout(20_000));

/** A store of which one can say that it does not answer; its conditions are real. */
async function commonStore() {
  const dir = await temporaryDirectory();
  const real = openFileStore(dir, 'code');
  onTestFinished(() => real.close());
  let isAway = false;
  const store = new Proxy(real, {
    get: (target, name) => {
      const call = Reflect.get(target, name);
      if (typeof call !== 'function') return call;
      return (...args: unknown[]) => {
        if (isAway) throw new RuntimeError('unavailable', 'the store does not answer');
        return Reflect.apply(call, target, args);
      };
    },
  }) as ObjectStore;
  return {
    store,
    away: (on: boolean) => {
      isAway = on;
    },
    texts: async () =>
      (await collect(real.list('sandboxes/'))).map(({ key }) => readFileSync(join(dir, 'code', key), 'utf8')),
  };
}

/** Nobody has it: any host may take it. */
const isFree = async (texts: () => Promise<string[]>) =>
  (await texts()).map((text) => (JSON.parse(text) as { holder: string | null }).holder === null);

async function runningOnA(request = aRequest()) {
  const common = await commonStore();
  const a = modelServer({ host: 'a', store: common.store });
  const b = modelServer({ host: 'b', store: common.store });
  const [lifeA, lifeB] = [await a.start(), await b.start()];
  const { id } = await lifeA.sandboxes.create(request);
  await until(lifeA.sandboxes, id, 'running');
  return { common, a, b, lifeA, lifeB, id };
}

async function stoppedOnA() {
  const request = aRequest({ name: 'one', secretEnv: { KEY: new Secret('s3cret') }, idempotencyKey: 'k' });
  const { lifeA, id, common, ...rest } = await runningOnA(request);
  await lifeA.sandboxes.stop(id, 'user');
  await until(lifeA.sandboxes, id, 'stopped');
  await vi.waitFor(async () => expect(await isFree(common.texts)).toEqual([true]), 10_000);
  return { lifeA, id, common, ...rest, request };
}

describe('hosts that share a store', () => {
  test('one that is stopped is resumed by any of them, with its secrets, and the others do not start it again', async () => {
    const { common, a, b, lifeA, lifeB, id, request } = await stoppedOnA();
    expect((await common.texts()).join()).not.toContain('s3cret');
    expect(lifeB.sandboxes.find(id)).toBeUndefined();
    expect(await lifeB.sandboxes.visit(id)).toBe('here');
    expect(lifeB.sandboxes.find(id)).toMatchObject({ status: 'stopped', name: 'one', host: undefined });
    expect(lifeB.sandboxes.all()).toEqual([]);
    await lifeA.kill();

    await lifeB.sandboxes.resume(id);
    expect(await until(lifeB.sandboxes, id, 'running')).toMatchObject({ host: 'b', moves: 1 });
    const spec = lifeB.api.bot(id)?.spec ?? expect.fail('no bot');
    expect(lifeB.opened.secretEnv(spec).KEY?.reveal()).toBe('s3cret');
    expect((await lifeB.sandboxes.create(request)).id).toBe(id);

    // The one that was away comes back, and has it no more.
    const later = await a.start();
    expect(later.sandboxes.find(id)).toBeUndefined();
    expect(await later.sandboxes.visit(id)).toEqual({ host: 'b', owner: 'me' });
    expect(await failureOf(later.sandboxes.resume(id))).toBe('not-found');
    expect(readdirSync(join(a.folder, 'records'))).toEqual([]);
    expect(a.model.lives).toHaveLength(1);

    // And over a restart of the one that has it.
    await lifeB.kill();
    const again = await b.start();
    expect((await until(again.sandboxes, id, 'running')).id).toBe(id);
    expect(b.model.lives).toHaveLength(1);
  });

  test('one that is stopped while its host is drained is given back at once, and runs on another', async () => {
    const { common, a, b, lifeA, lifeB, id } = await runningOnA();
    await lifeA.api.drain();
    await vi.waitFor(() => expect(lifeA.loop.running()).toEqual([]), 10_000);
    // It is to run, and does when the drain is over: nobody else has it until then.
    await until(lifeA.sandboxes, id, 'pending');
    await vi.waitFor(async () => expect(await isFree(common.texts)).toEqual([false]), 10_000);
    await lifeA.sandboxes.stop(id, 'user');
    await until(lifeA.sandboxes, id, 'stopped');
    await vi.waitFor(async () => expect(await isFree(common.texts)).toEqual([true]), 10_000);

    expect(await lifeB.sandboxes.visit(id)).toBe('here');
    await lifeB.sandboxes.resume(id);
    expect(await until(lifeB.sandboxes, id, 'running')).toMatchObject({ host: 'b', moves: 1 });
    await lifeA.api.resume();
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(lifeA.sandboxes.find(id)).toBeUndefined();
    }, 10_000);
    expect([a.model.lives.length, b.model.lives.length]).toEqual([1, 1]);
  });

  test('of all that resume it at once one has it, and it runs once', async () => {
    const { lifeA, lifeB, a, b, id } = await stoppedOnA();
    await lifeB.sandboxes.visit(id);
    const results = await Promise.allSettled(
      [lifeA, lifeB, lifeA, lifeB].map(({ sandboxes }) => sandboxes.resume(id)),
    );
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    const has = [lifeA, lifeB].filter(({ sandboxes }) => sandboxes.all().length > 0);
    expect(has).toHaveLength(1);
    await until(has[0]!.sandboxes, id, 'running');
    const [other] = [lifeA, lifeB].filter((life) => life !== has[0]);
    expect(await failureOf(other!.sandboxes.resume(id))).toBe('not-found');
    // The first life on A, and this one.
    expect(a.model.lives.length + b.model.lives.length).toBe(2);
  });

  test('one that was given back and taken meanwhile is known by a look at the store, and changed where it is', async () => {
    const { lifeA, lifeB, a, id } = await stoppedOnA();
    await lifeB.sandboxes.visit(id);
    await lifeB.sandboxes.setEgress(id, 'none');
    expect(lifeA.sandboxes.find(id)?.egress).toBe('internet');
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(lifeA.sandboxes.find(id)).toBeUndefined();
    }, 10_000);
    // B has it, and gives it back as nothing of it runs.
    await lifeB.sandboxes.resume(id);
    await until(lifeB.sandboxes, id, 'running');
    await lifeB.sandboxes.stop(id, 'user');
    await vi.waitFor(async () => expect(await lifeA.sandboxes.visit(id)).toBe('here'), 10_000);
    expect(lifeA.sandboxes.find(id)?.egress).toBe('none');
    await lifeA.sandboxes.resume(id);
    expect(await until(lifeA.sandboxes, id, 'running')).toMatchObject({ egress: 'none', moves: 3 });
  });

  test('what has not saved its disk is given to nobody; taken all the same only from a host that somebody names', async () => {
    const { common, a, lifeA, lifeB, id } = await runningOnA();
    const hasA = { host: 'a', owner: 'me' };
    await vi.waitFor(async () => expect(await lifeB.sandboxes.visit(id)).toEqual(hasA), { timeout: 20_000 });
    a.world.isSaved = false;
    await lifeA.sandboxes.stop(id, 'user');
    await until(lifeA.sandboxes, id, 'stopped');
    await a.clock.advance(60_000);
    expect(await isFree(common.texts)).toEqual([false]);
    expect(await lifeB.sandboxes.visit(id)).toEqual({ host: 'a', owner: 'me' });
    expect(await lifeB.sandboxes.visit(id, 'c')).toEqual({ host: 'a', owner: 'me' });
    await lifeA.sandboxes.resume(id);
    await until(lifeA.sandboxes, id, 'running');
    await vi.waitFor(async () => {
      expect(await lifeB.sandboxes.visit(id, 'a')).toBe('here');
      expect(lifeB.sandboxes.find(id)).toMatchObject({ status: 'stopped', cause: 'host-lost' });
    }, 10_000);
    await lifeB.sandboxes.resume(id);
    await until(lifeB.sandboxes, id, 'running');
    // A was only unreachable: it sees that, ends its own, and does not start it again.
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(lifeA.sandboxes.find(id)).toBeUndefined();
      expect(a.model.instances.size).toBe(0);
    }, 10_000);
    expect(lifeB.sandboxes.find(id)?.status).toBe('running');
  });

  test('taken and given back while its host did not look, it is not started there again', async () => {
    const { common, a, lifeA, lifeB, id } = await runningOnA();
    // A may still write that it runs: then it has written since, and B has to ask again.
    await vi.waitFor(async () => {
      expect(await lifeB.sandboxes.visit(id, 'a')).toBe('here');
      await lifeB.sandboxes.setEgress(id, 'none');
    }, 10_000);
    await vi.waitFor(async () => expect(await isFree(common.texts)).toEqual([true]), 10_000);
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(lifeA.sandboxes.find(id)).toBeUndefined();
      expect(a.model.instances.size).toBe(0);
    }, 10_000);
    expect(await isFree(common.texts)).toEqual([true]);
    expect(await lifeA.sandboxes.visit(id)).toBe('here');
    expect(lifeA.sandboxes.find(id)).toMatchObject({ status: 'stopped', egress: 'none' });
  });

  test('what was removed where the store did not answer, and taken meanwhile, keeps what it has saved', async () => {
    const { common, a, lifeA, lifeB, id } = await runningOnA();
    await vi.waitFor(async () => expect(await lifeB.sandboxes.visit(id, 'a')).toBe('here'), 10_000);
    common.away(true);
    await lifeA.sandboxes.remove(id, 'user');
    await vi.waitFor(() => expect(lifeA.api.bot(id)).toBeUndefined(), 10_000);
    await a.clock.advance(59_000);
    common.away(false);
    await vi.waitFor(async () => {
      await lifeB.sandboxes.visit(id, 'a');
      await lifeB.sandboxes.resume(id);
    }, 10_000);
    await until(lifeB.sandboxes, id, 'running');
    await vi.waitFor(async () => {
      await a.clock.advance(5_000);
      expect(readdirSync(join(a.folder, 'records'))).toEqual([]);
    }, 10_000);
    expect(a.world.purged).toEqual([]);
    expect(await isFree(common.texts)).toEqual([false]);
    expect(lifeB.sandboxes.find(id)?.status).toBe('running');
  });

  test('a host that has written to it since is alive, whatever was said of it', async () => {
    const { common, b, lifeA, lifeB, id } = await runningOnA();
    await vi.waitFor(async () => expect(await lifeB.sandboxes.visit(id, 'a')).toBe('here'), 10_000);
    const before = (await common.texts()).join();
    await lifeA.sandboxes.setIdleTimeout(id, 5_000_000);
    await vi.waitFor(async () => expect((await common.texts()).join()).not.toBe(before), 10_000);
    expect(await failureOf(lifeB.sandboxes.resume(id))).toBe('conflict');
    expect(lifeB.sandboxes.find(id)).toBeUndefined();
    expect(lifeA.sandboxes.find(id)?.status).toBe('running');
    expect(b.model.lives).toHaveLength(0);
  });

  test('a store that is away keeps nobody from stopping; what is given back is when it answers', async () => {
    const common = await commonStore();
    const a = modelServer({ host: 'a', store: common.store });
    const life = await a.start();
    const { id } = await life.sandboxes.create(aRequest());
    await until(life.sandboxes, id, 'running');
    await vi.waitFor(async () => expect(await isFree(common.texts)).toEqual([false]), 10_000);
    common.away(true);
    await life.sandboxes.stop(id, 'user');
    await until(life.sandboxes, id, 'stopped');
    await life.sandboxes.resume(id);
    await until(life.sandboxes, id, 'running');
    await life.sandboxes.stop(id, 'user');
    await until(life.sandboxes, id, 'stopped');
    common.away(false);
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(await isFree(common.texts)).toEqual([true]);
    }, 10_000);
    common.away(true);
    expect(await failureOf(life.sandboxes.resume(id))).toBe('unavailable');
    expect(life.sandboxes.find(id)?.status).toBe('stopped');
    common.away(false);
    await life.sandboxes.resume(id);
    await until(life.sandboxes, id, 'running');
  });

  test('one is whose it was after a kill between any two writes', async () => {
    const { common, a, lifeA, id } = await stoppedOnA();
    // In the store it is A's already, on A's disk not yet.
    const killed = lifeA.sandboxes.resume(id).catch(() => undefined);
    await Promise.all([killed, lifeA.kill()]);
    const second = await a.start();
    await second.sandboxes.resume(id);
    await until(second.sandboxes, id, 'running');
    await Promise.all([second.sandboxes.stop(id, 'user'), second.kill()]);
    const third = await a.start();
    await until(third.sandboxes, id, 'stopped');
    await vi.waitFor(async () => {
      await a.clock.advance(30_000);
      expect(await isFree(common.texts)).toEqual([true]);
    }, 10_000);
    await third.sandboxes.remove(id, 'user');
    await third.kill();
    const fourth = await a.start();
    await vi.waitFor(async () => {
      await a.clock.advance(60_000);
      expect(a.world.purged).toEqual([id]);
      expect(await common.texts()).toEqual([]);
    }, 10_000);
    expect(fourth.sandboxes.find(id)).toBeUndefined();
  });

  test('removed by another host it is gone for all, and its record with it', async () => {
    const { common, a, b, lifeA, lifeB, id } = await stoppedOnA();
    await lifeB.sandboxes.visit(id);
    await lifeB.sandboxes.remove(id, 'user');
    expect(await failureOf(lifeA.sandboxes.resume(id))).toBe('conflict');
    expect(lifeA.sandboxes.find(id)).toBeUndefined();
    await vi.waitFor(async () => {
      await b.clock.advance(60_000);
      expect(b.world.purged).toEqual([id]);
      expect(await common.texts()).toEqual([]);
    }, 10_000);
    await lifeA.kill();
    expect((await a.start()).sandboxes.all()).toEqual([]);
    expect(await lifeB.sandboxes.visit(id)).toBe('nowhere');
  });

  test('a record that is sealed with another key is opened by nobody else, and sealed anew by its own host', async () => {
    const { common, a, lifeA, id } = await stoppedOnA();
    await lifeA.kill();
    const other = await modelServer({ host: 'c', store: common.store, poolKey: 'other' }).start();
    expect(await failureOf(other.sandboxes.visit(id))).toBe('conflict');
    expect((await a.start()).sandboxes.find(id)?.status).toBe('stopped');
  });

  test('a host without a common store knows its own alone', async () => {
    const { sandboxes } = await modelServer().start();
    expect(await sandboxes.visit('sbx-none')).toBe('nowhere');
  });
});
