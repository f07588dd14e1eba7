import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { scaled } from '../../support/scale.ts';
import { realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();

const instances = async (id: string) =>
  (await docker('ps', '--all', '--format', '{{.Names}}', '--filter', `label=runtime.bot=${id}`))
    .split('\n')
    .filter((name) => name !== '');

describe.skipIf(image.missing !== undefined)(
  'a server of sandboxes that is killed',
  { timeout: 300_000 + scaled(60_000) },
  () => {
    test('while something is asked of it does all that it has said, nothing twice, and touches nothing inside', async () => {
      await using serve = await realServe({ image: image.tag });
      await serve.start();
      const again = async () => {
        await serve.kill();
        await serve.start();
      };

      // Create: whoever had an answer has a sandbox, and nobody has two.
      const keys = ['a', 'b', 'c'];
      const asked = keys.map((key) =>
        serve.create({ name: key, idempotencyKey: key }).then(
          ({ id }) => id,
          () => undefined,
        ),
      );
      await pause(Math.random() * 300);
      await again();
      const answered = await Promise.all(asked);
      const made = await Promise.all(
        keys.map(async (key) => (await serve.create({ name: key, idempotencyKey: key })).id),
      );
      for (const [index, id] of answered.entries()) if (id !== undefined) expect(made[index]).toBe(id);
      const { body } = await serve.call('GET', '/v1/sandboxes');
      expect((body.sandboxes as unknown[]).length).toBe(keys.length);
      for (const id of made) await serve.until(id, 'running');
      const [one = '', two = '', three = ''] = made;

      // A command: it goes on, and so does everything else inside.
      const before = await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', `rt-${one}`);
      const cut = serve
        .exec(one, 'for i in $(seq 50); do echo $i; sleep 0.1; done > counted')
        .catch(() => undefined);
      const lines = async () => Number((await serve.exec(one, 'cat counted 2>/dev/null | wc -l')).stdout);
      await vi.waitFor(async () => expect(await lines()).toBeGreaterThan(0), {
        timeout: 60_000,
        interval: 50,
      });
      await again();
      await cut;
      await serve.until(one, 'running');
      await vi.waitFor(
        async () => {
          expect(await lines()).toBe(50);
        },
        { timeout: 60_000, interval: 200 },
      );
      expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', `rt-${one}`)).toBe(before);

      // Stop: what was there before it is there after it.
      await serve.exec(two, 'head -c 1000000 /dev/zero > zeros; echo kept > kept');
      const stopping = serve.call('POST', `/v1/sandboxes/${two}/stop`).catch(() => undefined);
      await pause(Math.random() * 300);
      await again();
      await stopping;
      await serve.call('POST', `/v1/sandboxes/${two}/stop`);
      await serve.until(two, 'stopped');
      await serve.call('POST', `/v1/sandboxes/${two}/resume`);
      await serve.until(two, 'running');
      expect((await serve.exec(two, 'cat kept; wc -c < zeros')).stdout).toBe('kept\n1000000\n');

      // A snapshot: one that somebody was told of is there, and another can be taken.
      await serve.exec(two, 'echo newer > kept');
      const snapshot = () => serve.call('POST', `/v1/sandboxes/${two}/snapshot`, {});
      const snapping = snapshot().catch(() => undefined);
      await pause(Math.random() * 300);
      await again();
      const told = await snapping;
      await serve.until(two, 'running');
      const listed = JSON.stringify((await serve.call('GET', `/v1/sandboxes/${two}/snapshots`)).body);
      if (told?.status === 200 || told?.status === 201) expect(listed).toContain(told.body.snapshotId);
      const taken = await snapshot();
      expect(taken, JSON.stringify(taken)).toMatchObject({ body: { snapshotId: expect.any(String) } });
      const fork = await serve.create({ fromSnapshot: taken.body.snapshotId });
      await serve.until(fork.id, 'running');
      expect((await serve.exec(fork.id, 'cat kept')).stdout).toBe('newer\n');

      // Delete: nothing is left.
      const deleting = serve.call('DELETE', `/v1/sandboxes/${three}`).catch(() => undefined);
      await pause(Math.random() * 100);
      await again();
      await deleting;
      await serve.call('DELETE', `/v1/sandboxes/${three}`);
      expect((await serve.call('GET', `/v1/sandboxes/${three}`)).status).toBe(404);
      await vi.waitFor(async () => expect(await instances(three)).toEqual([]), {
        timeout: 60_000,
        interval: 500,
      });
    });
  },
);
