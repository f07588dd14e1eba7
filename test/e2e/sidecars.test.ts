import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type ContainerOptions, runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';

const image = await universalImage();
const asRole = (...args: string[]) => ({
  entrypoint: '/usr/bin/tini',
  args: ['-s', '--', 'runtime', ...args],
});

describe.skipIf(image.missing !== undefined)('a pod of containers', { timeout: 60_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  /** Code, state and logs on volumes that all of its containers have. */
  async function volumes(): Promise<string[]> {
    const names = ['bot', 'state', 'logs'].map((name) => `runtime-test-${name}-${randomUUID()}`);
    onTestFinished(async () => void (await docker('volume', 'rm', '--force', ...names)));
    return names.map((name, i) => `${name}:${['/bot', '/state', '/var/the0/logs'][i]}`);
  }

  test.each([
    { how: 'as root', options: {} },
    { how: 'as an ordinary user, hardened', options: { ...hardened, tmpfs: ['/tmp', '/query'] } },
  ])(
    'another instance takes over: the bot’s container ends with 75, as the sidecar does ($how)',
    async ({ options }) => {
      const env: Record<string, string> = await bots.deploy({
        kind: 'command',
        entrypoint: "trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done",
        files: { none: '' },
      });
      const withoutCredentials = Object.fromEntries(
        Object.entries(env).filter(([name]) => !name.startsWith('MINIO_')),
      );
      const shared: ContainerOptions = { image: image.tag, volumes: await volumes(), ...options };
      expect((await runContainer({ ...shared, env, ...asRole('daemon', 'init') })).exit).toBe(0);
      await using sync = await startContainer({
        ...shared,
        env: { ...env, SYNC_INTERVAL: '500ms' },
        ...asRole('daemon', 'sync'),
      });
      await using bot = await startContainer({
        ...shared,
        env: withoutCredentials,
        args: ['--skip-sync', '--skip-query-server'],
      });
      await bot.waitForOutput('up');

      const other = { ...env, ENTRYPOINT: 'echo mine > /state/mine' };
      expect((await runContainer({ image: image.tag, env: other })).exit).toBe(0);
      expect((await sync.ended()).exit).toBe(75);
      expect(await bot.ended()).toMatchObject({ exit: 75, stdout: 'up\nstopped\n' });
    },
  );
});
