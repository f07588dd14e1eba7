import { describe, expect, test } from 'vitest';
import { baseImage, docker, universalImage } from '../../support/container/docker.ts';
import { realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();
const base = await baseImage();

describe.skipIf(image.missing !== undefined || base.missing !== undefined)(
  'a sandbox of an image that knows nothing of us',
  { timeout: 300_000 },
  () => {
    test('runs, keeps its disk, and closes its keys to what runs in it; an image that is nowhere has failed', async () => {
      // The control: there is nothing of ours in it.
      const list = ['run', '--rm', '--entrypoint', 'ls', base.tag, '/usr/local/bin', '/usr/local/lib'];
      expect(await docker(...list)).not.toContain('runtime');
      await using serve = await realServe({ image: image.tag, policy: 'default: {images: ["*"]}' });
      await serve.start();
      const { id } = await serve.create({ image: base.tag });
      await serve.until(id, 'running');
      const { stdout } = await serve.exec(
        id,
        'echo kept > kept; id -u; cat /proc/1/comm; for pid in /proc/[0-9]*; do tr "\\0" "\\n" < $pid/environ; done 2>/dev/null | grep -c SEAL',
      );
      expect(stdout).toMatch(/^200\d{3}\ntini\n0\n$/);
      await serve.call('POST', `/v1/sandboxes/${id}/stop`);
      await serve.until(id, 'stopped');
      await serve.call('POST', `/v1/sandboxes/${id}/resume`);
      await serve.until(id, 'running');
      expect((await serve.exec(id, 'cat kept')).stdout).toBe('kept\n');

      const lost = await serve.create({ image: 'sha256:'.padEnd(71, '0') });
      await expect(serve.until(lost.id, 'running')).rejects.toThrow(
        /is failed, not running: .*not on this machine/,
      );
    });
  },
);
