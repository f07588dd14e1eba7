import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { RuntimeError } from '../../../../src/base/errors.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { Sandboxes, SandboxStatus } from '../../../../src/host/sandboxes/sandboxes.ts';
import { failureOf } from '../../../support/host/failureOf.ts';
import { aRequest, modelServer } from '../../../support/serve/modelServer.ts';

const until = (sandboxes: Sandboxes, id: string, status: SandboxStatus) =>
  sandboxes.until(id, [status], AbortSignal.timeout(20_000));

describe('sandboxes', () => {
  test('are made, stopped, started again and taken away, and their disk is kept for a while', async () => {
    const { start, model, world, clock, folder } = modelServer();
    const { sandboxes } = await start();
    const { id, status } = await sandboxes.create(aRequest({ name: 'one' }));
    expect(['pending', 'provisioning']).toContain(status);
    expect(await until(sandboxes, id, 'running')).toMatchObject({ name: 'one', host: 'host' });
    await sandboxes.stop(id, 'user');
    expect(await until(sandboxes, id, 'stopped')).toMatchObject({ cause: 'user' });
    await sandboxes.resume(id);
    expect((await until(sandboxes, id, 'running')).cause).toBeUndefined();
    expect(model.lives).toHaveLength(2);

    await sandboxes.remove(id, 'user');
    expect(sandboxes.find(id)).toBeUndefined();
    expect(await failureOf(sandboxes.stop(id, 'user'))).toBe('not-found');
    expect(await failureOf(sandboxes.remove(id, 'user'))).toBe('not-found');
    await vi.waitFor(() => expect(model.instances.size).toBe(0), 10_000);
    expect(world.purged).toEqual([]);
    await vi.waitFor(async () => {
      await clock.advance(60_000);
      expect(world.purged).toEqual([id]);
      expect(readdirSync(join(folder, 'records'))).toEqual([]);
    }, 10_000);
  });

  test('run only once something listens inside', async () => {
    const { start, world, clock, model } = modelServer();
    world.listens = false;
    const { sandboxes } = await start();
    const { id } = await sandboxes.create(aRequest());
    await vi.waitFor(() => expect(model.lives).toHaveLength(1), 10_000);
    await clock.advance(5_000);
    expect(sandboxes.find(id)?.status).toBe('provisioning');
    world.listens = true;
    await vi.waitFor(async () => {
      await clock.advance(500);
      expect(sandboxes.find(id)?.status).toBe('running');
    }, 10_000);
  });

  test('go on where they were when the server is killed right after anything that was asked', async () => {
    const { start, model } = modelServer();
    const first = await start();
    const { id } = await first.sandboxes.create(aRequest({ secretEnv: { KEY: new Secret('s3cret') } }));
    await first.kill();

    const second = await start();
    expect((await until(second.sandboxes, id, 'running')).id).toBe(id);
    expect(model.lives).toHaveLength(1);
    const given = second.opened.secretEnv(
      second.api.bot(id)?.spec ?? expect.fail('the bot is not wanted any more'),
    );
    expect(given.KEY?.reveal()).toBe('s3cret');
    await second.kill();

    // Nothing of it changes while nobody is there, and it is found again.
    const third = await start();
    await until(third.sandboxes, id, 'running');
    expect(model.lives).toHaveLength(1);
    const stopping = third.sandboxes.stop(id, 'user');
    await Promise.all([stopping, third.kill()]);

    const fourth = await start();
    expect(fourth.sandboxes.find(id)?.status).not.toBe('running');
    await vi.waitFor(() => expect(model.instances.has(`rt-${id}`)).toBe(false), 10_000);
    await until(fourth.sandboxes, id, 'stopped');
    await Promise.all([fourth.sandboxes.resume(id), fourth.kill()]);

    const fifth = await start();
    await until(fifth.sandboxes, id, 'running');
    expect(model.lives).toHaveLength(2);
    await Promise.all([fifth.sandboxes.remove(id, 'user'), fifth.kill()]);

    const sixth = await start();
    expect(sixth.sandboxes.all()).toEqual([]);
    await vi.waitFor(() => expect(model.instances.size).toBe(0), 10_000);
  });

  test('of the same idempotency key are one, over a restart too; another request is refused', async () => {
    const { start } = modelServer();
    const first = await start();
    const request = aRequest({ idempotencyKey: 'k', metadata: { a: 1, b: 2 } });
    const made = await Promise.all([1, 2, 3].map(() => first.sandboxes.create(request)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const same = aRequest({ metadata: { b: 2, a: 1 }, idempotencyKey: 'k' });
    expect((await first.sandboxes.create(same)).id).toBe(made[0]?.id);
    expect(await failureOf(first.sandboxes.create({ ...request, name: 'other' }))).toBe('conflict');
    const other = await first.sandboxes.create({ ...request, owner: 'you', name: 'other' });
    expect(other.id).not.toBe(made[0]?.id);
    await first.kill();

    const second = await start();
    expect((await second.sandboxes.create(request)).id).toBe(made[0]?.id);
    const secret = { ...request, secretEnv: { A: new Secret('x') } };
    expect(await failureOf(second.sandboxes.create(secret))).toBe('conflict');
    expect(second.sandboxes.all()).toHaveLength(2);
  });

  test('stop when nobody has used them for their time, and expire at the end of their life', async () => {
    const { start, clock } = modelServer();
    const { sandboxes } = await start();
    const { id } = await sandboxes.create(aRequest({ idleMs: 10_000, lifetimeMs: 100_000 }));
    await until(sandboxes, id, 'running');
    for (let i = 0; i < 4; i++) {
      await clock.advance(8_000);
      sandboxes.touch(id);
    }
    expect(sandboxes.find(id)?.status).toBe('running');
    await clock.advance(10_000);
    expect(await until(sandboxes, id, 'stopped')).toMatchObject({ cause: 'idle' });

    await sandboxes.resume(id);
    await until(sandboxes, id, 'running');
    await sandboxes.setIdleTimeout(id, undefined);
    await clock.advance(30_000);
    expect(sandboxes.find(id)?.status).toBe('running');
    await clock.advance(40_000);
    expect(await until(sandboxes, id, 'expired')).toMatchObject({ cause: 'lifetime' });
    expect(await failureOf(sandboxes.resume(id))).toBe('conflict');
  });

  test('that can never start have failed, and say why; another try is another try', async () => {
    const { start, world } = modelServer();
    world.imageFails = new RuntimeError('not-found', 'image nowhere: not on this machine');
    const { sandboxes } = await start();
    const { id } = await sandboxes.create(aRequest({ image: 'nowhere' }));
    expect(await until(sandboxes, id, 'failed')).toMatchObject({ cause: 'failed' });
    expect(sandboxes.find(id)?.error).toContain('not on this machine');
    world.imageFails = undefined;
    await sandboxes.resume(id);
    expect((await until(sandboxes, id, 'running')).error).toBeUndefined();
  });

  test('that cannot start yet say why while they are tried', async () => {
    const { start, world, clock } = modelServer();
    world.imageFails = new RuntimeError('unavailable', 'the engine: no such host');
    const { sandboxes } = await start();
    const { id } = await sandboxes.create(aRequest({}));
    await expect
      .poll(() => sandboxes.find(id)?.error, { timeout: 20_000 })
      .toContain('the engine: no such host');
    expect(['pending', 'provisioning']).toContain(sandboxes.find(id)?.status);
    world.imageFails = undefined;
    await clock.advance(10_000);
    expect((await until(sandboxes, id, 'running')).error).toBeUndefined();
  });

  test('that are forks start once their disk is begun, also when the server was killed while it was', async () => {
    const { start, world, model } = modelServer();
    let [begun, done] = [0, 0];
    world.fork = async (_from, _to, aborted) => {
      begun += 1;
      if (begun === 1)
        await new Promise((_, reject) => aborted.addEventListener('abort', () => reject(aborted.reason)));
      done += 1;
    };
    const first = await start();
    const { id } = await first.sandboxes.create(aRequest({ from: { sandbox: 'other', sequence: 4 } }));
    await vi.waitFor(() => expect(begun).toBe(1), 10_000);
    expect(model.instances.size).toBe(0);
    await first.kill();

    const { sandboxes } = await start();
    await until(sandboxes, id, 'running');
    expect([begun, done]).toEqual([2, 1]);
    world.fork = () => Promise.reject(new RuntimeError('not-found', 'no snapshot 9'));
    const lost = await sandboxes.create(aRequest({ from: { sandbox: 'other', sequence: 9 } }));
    expect(await until(sandboxes, lost.id, 'failed')).toMatchObject({ error: 'no snapshot 9' });
    expect(model.lives).toHaveLength(1);
  });

  test('are given no variable that would reach the runtime beside them', async () => {
    const { sandboxes } = await modelServer().start();
    for (const name of ['LD_PRELOAD', 'MINIO_ENDPOINT', 'WRAP', 'BOX_TOKEN', 'HOME', 'A=B', '', 'é'])
      expect(await failureOf(sandboxes.create(aRequest({ env: { [name]: 'x' } }))), name).toBe('config');
    const secret = aRequest({ secretEnv: { NODE_OPTIONS: new Secret('--require /workspace/x') } });
    expect(await failureOf(sandboxes.create(secret))).toBe('config');
    expect(await failureOf(sandboxes.create(aRequest({ env: { A: 'x'.repeat(40_000) } })))).toBe('config');
    expect(sandboxes.all()).toEqual([]);
    await sandboxes.create(aRequest({ env: { MY_VARIABLE: '1' } }));
  });

  test('are not started or stopped from records of which one cannot be read', async () => {
    const { start, folder } = modelServer();
    const first = await start();
    const { id } = await first.sandboxes.create(aRequest());
    await first.kill();
    writeFileSync(join(folder, 'records', `${id}.json`), '{"version":');
    await expect(start()).rejects.toThrow(/cannot be read/);
  });
});
