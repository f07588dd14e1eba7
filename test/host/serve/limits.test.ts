import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { mountPoints } from '../../../src/base/mountPoints.ts';
import { docker, universalImage } from '../../support/container/docker.ts';
import { canMountDisk } from '../../support/container/mountDisk.ts';
import { unmountBelow } from '../../support/files/unmountBelow.ts';
import { realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();
const MiB = 2 ** 20;
/** Of the host's own disk, as the kernel counts it. */
const taken = (file: string) => statSync(file).blocks * 512;

describe.skipIf(image.missing !== undefined || !canMountDisk)(
  'a sandbox that fills its disk',
  { timeout: 400_000 },
  () => {
    test('ends at its limit, wherever it writes, can be stopped and resumed with all that it had, and leaves nothing mounted', async () => {
      await using serve = await realServe({
        image: image.tag,
        env: { RUNTIME_SERVE_KEEP_DELETED: '0', RUNTIME_SERVE_DISKS: 'own' },
      });
      await serve.start();
      const { id } = await serve.create({ resources: { memoryMB: 256, cpuCores: 1, diskGB: 0.0625 } });
      await serve.until(id, 'running');
      await serve.exec(id, 'echo mine > kept');

      const filled = await serve.exec(
        id,
        'head -c 200M /dev/zero > big; head -c 200M /dev/zero > /var/the0/big; cat kept; df --output=avail -B1 /workspace | tail -n 1',
      );
      expect(filled.stderr.match(/No space left on device/g)).toHaveLength(2);
      const [kept, available] = filled.stdout.split('\n');
      expect(kept).toBe('mine');
      expect(Number(available)).toBeLessThan(MiB);
      const file = join(serve.data, 'bots', id, 'disk.img');
      expect(statSync(file).size).toBe(64 * MiB);
      // All of it is the sandbox's from the beginning: the host's disk cannot be full for it alone.
      expect(taken(file)).toBeGreaterThanOrEqual(64 * MiB);
      await serve.exec(id, 'rm /var/the0/big; sync');

      // Killed, and the machine started anew: the disk is there, and not mounted.
      await serve.exec(id, 'head -c 200M /dev/zero > more; sync');
      await serve.call('POST', `/v1/sandboxes/${id}/stop`);
      await serve.until(id, 'stopped');
      // Saved, although not even a mark could be written on it.
      const saved = await serve.call('GET', `/v1/sandboxes/${id}/disk/stat/more`);
      expect(saved.status, JSON.stringify(saved.body)).toBe(200);
      await serve.kill();
      unmountBelow(serve.data);
      await serve.start();
      await serve.call('POST', `/v1/sandboxes/${id}/resume`);
      await serve.until(id, 'running');
      expect((await serve.exec(id, 'cat kept; ls')).stdout).toBe('mine\nbig\nkept\nmore\n');

      await serve.call('DELETE', `/v1/sandboxes/${id}`);
      await vi.waitFor(() => expect(existsSync(file)).toBe(false), { timeout: 120_000, interval: 200 });
      expect(mountPoints().filter((path) => path.startsWith(serve.data))).toEqual([]);
    });
  },
);

describe.skipIf(image.missing !== undefined)('a sandbox that forks without end', { timeout: 700_000 }, () => {
  test('is saved, and ended without its grace', async () => {
    await using serve = await realServe({ image: image.tag });
    await serve.start();
    const { id } = await serve.create({ resources: { memoryMB: 1024, cpuCores: 0.1, diskGB: 0.0625 } });
    await serve.until(id, 'running');
    const spawned = await serve.call('POST', `/v1/sandboxes/${id}/runtime/process/spawn`, {
      command: "echo mine > kept; trap '' TERM; f() { f | f & f; }; f",
    });
    expect(spawned.status).toBe(200);
    const processes = async () => (await docker('top', `rt-${id}`, '-eo', 'pid')).split('\n').length;
    await vi.waitFor(async () => expect(await processes()).toBeGreaterThan(420), {
      timeout: 400_000,
      interval: 500,
    });
    await serve.call('POST', `/v1/sandboxes/${id}/stop`);
    await serve.until(id, 'stopped');
    const kept = await serve.call('GET', `/v1/sandboxes/${id}/disk/read/kept`);
    expect(kept.body, JSON.stringify(kept)).toMatchObject({ data: { content: 'mine\n' } });
    const container = await docker('ps', '--all', '--quiet', '--filter', `label=runtime.bot=${id}`);
    const { stderr } = spawnSync('docker', ['logs', container.trim()], { encoding: 'utf8' });
    expect(stderr).toContain('all were ended at once');
  });
});

describe.skipIf(image.missing !== undefined)(
  'a sandbox that stops its own processes',
  { timeout: 400_000 },
  () => {
    test('is told to go on: the call is answered, the next as well, and its disk is saved when it is stopped', async () => {
      await using serve = await realServe({ image: image.tag });
      await serve.start();
      const { id } = await serve.create({ resources: { memoryMB: 256, cpuCores: 1, diskGB: 0.0625 } });
      await serve.until(id, 'running');
      const box = await serve.exec(id, 'kill -STOP $PPID; echo goes on');
      expect(box).toMatchObject({ exitCode: 0, stdout: 'goes on\n' });

      // Its supervisor, too: whose child the box is.
      const supervisor = await serve.exec(
        id,
        "echo mine > kept; kill -STOP $(sed 's/.*) . //; s/ .*//' /proc/$PPID/stat); grep State /proc/$(sed 's/.*) . //; s/ .*//' /proc/$PPID/stat)/status",
      );
      expect(supervisor.stdout).toContain('T (stopped)');
      await serve.call('POST', `/v1/sandboxes/${id}/stop`);
      await serve.until(id, 'stopped');
      const kept = await serve.call('GET', `/v1/sandboxes/${id}/disk/read/kept`);
      expect(kept.body, JSON.stringify(kept)).toMatchObject({ data: { content: 'mine\n' } });
      const format = '{{.State.ExitCode}}';
      const container = await docker('ps', '--all', '--quiet', '--filter', `label=runtime.bot=${id}`);
      expect(await docker('inspect', '-f', format, container.trim())).not.toBe('137\n');
    });
  },
);
