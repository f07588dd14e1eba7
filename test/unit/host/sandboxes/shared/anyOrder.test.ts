import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RuntimeError } from '../../../../../src/base/errors.ts';
import { openFileStore } from '../../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../../src/store/objectStore.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { scaled } from '../../../../support/scale.ts';
import { aRequest, modelServer } from '../../../../support/serve/modelServer.ts';

/** Each write fails now and then: before it was done, or with its answer lost. */
async function lossyStore(): Promise<{ store: ObjectStore; calm: () => void }> {
  const real = openFileStore(await temporaryDirectory(), 'code');
  onTestFinished(() => real.close());
  let rate = 0.15;
  const lost = () => new RuntimeError('unavailable', 'no answer', { retryable: true });
  const put: ObjectStore['put'] = async (...args) => {
    if (Math.random() < rate) throw lost();
    const done = await real.put(...args);
    if (Math.random() < rate) throw lost();
    return done;
  };
  return {
    store: { ...real, put },
    calm: () => {
      rate = 0;
    },
  };
}

test('whatever three hosts are asked, and whichever of them is killed, one sandbox never runs twice and is never lost', async () => {
  const { store, calm } = await lossyStore();
  const servers = ['a', 'b', 'c'].map((host) => modelServer({ host, store }));
  const lives = await Promise.all(servers.map((server) => server.start()));
  const { id } = await lives[0]!.sandboxes.create(aRequest());
  const any = () => Math.floor(Math.random() * servers.length);
  const turns = servers.map(() => Promise.resolve());
  const acts: Promise<void>[] = [];

  const act = async (at: number) => {
    const { sandboxes } = lives[at]!;
    const what = Math.random();
    if (what < 0.5) {
      await sandboxes.visit(id);
      await sandboxes.resume(id);
    } else if (what < 0.8) await sandboxes.stop(id, 'user');
    else if (what < 0.9) await servers[at]!.clock.advance(30_000);
  };
  for (let step = 0; step < scaled(150); step++) {
    const at = any();
    if (Math.random() < 0.1) {
      // Not while it is being killed: who is dead is asked nothing.
      turns[at] = turns[at]!.then(async () => {
        await lives[at]!.kill();
        lives[at] = await servers[at]!.start();
      });
      await turns[at];
    } else acts.push(turns[at]!.then(() => act(at)).catch(() => undefined));
    await pause(Math.random() * 15);
  }

  calm();
  await Promise.all(acts);
  await vi.waitFor(async () => {
    for (const [at, { sandboxes }] of lives.entries()) {
      await servers[at]!.clock.advance(30_000);
      if (sandboxes.all().some(({ status }) => status === 'running')) await sandboxes.stop(id, 'user');
    }
    expect(await lives[0]!.sandboxes.visit(id)).toBe('here');
    expect(lives[0]!.sandboxes.find(id)?.status).toBe('stopped');
  }, 30_000);
  // Another may still write that it has stopped: then it is asked for once more.
  await vi.waitFor(async () => {
    expect(await lives[0]!.sandboxes.visit(id)).toBe('here');
    await lives[0]!.sandboxes.resume(id);
  }, 30_000);
  await lives[0]!.sandboxes.until(id, ['running'], AbortSignal.timeout(20_000));

  const ran = servers.flatMap(({ model }) => model.lives).sort((one, other) => one.from - other.from);
  expect(ran.length).toBeGreaterThan(1);
  for (const [at, life] of ran.entries())
    expect(ran[at + 1]?.from ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(
      life.to ?? (at + 1 < ran.length ? Number.POSITIVE_INFINITY : 0),
    );
  expect(ran.at(-1)?.to).toBeUndefined();
});
