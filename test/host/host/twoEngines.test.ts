import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { baseImage, universalImage } from '../../support/container/docker.ts';
import { canMount } from '../../support/container/mountTmpfs.ts';
import { ownName } from '../../support/host/ownName.ts';
import { type RealHost, realHost } from '../../support/host/realHost.ts';
import { secondDocker } from '../../support/host/secondDocker.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const base = await baseImage();
const runtime = join(import.meta.dirname, '../../../dist/runtime');
const execute = promisify(execFile);
const cannot = image.missing ?? base.missing ?? (!canMount || process.env.DOCKER_HOST !== undefined);

test.skipIf(cannot)(
  'two hosts on two engines with the same bots: one runs them, the other says which, and takes them over once they are given up',
  async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      // Nothing of it can reach the store: what is made there says that it would run.
      await using other = await secondDocker(base.tag, true);
      const env = { DOCKER_HOST: `unix://${other.socket}`, DOCKER_NETWORK: 'none', RUNTIME_IMAGE: base.tag };
      await using a = await realHost({ image: image.tag, minio });
      const cleanUp = async () => undefined;
      await using b = await realHost({ image: base.tag, minio, env, cleanUp });
      const name = ownName('two');
      const tick = `${name}-tick`;
      const command = 'runtime: command\ncode: {file: none.zip}\n';
      for (const host of [a, b])
        host.write({
          [`${name}/bot.yaml`]: `name: ${name}\ntype: realtime\nruntime: command\nentrypoints: {bot: "exec sleep 1000"}\n`,
          [`${tick}.yaml`]: `name: ${tick}\ntype: scheduled\n${command}entrypoints: {bot: "true"}\nschedule: {cron: "* * * * * *"}\n`,
        });
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 120_000, interval: 300 });
      const view = async (host: RealHost, bot: string) => (await host.list()).find((one) => one.name === bot);
      const idOf = (host: RealHost) => readFileSync(join(host.data, 'host-id'), 'utf8').trim();
      await a.start();
      await until(async () => expect((await view(a, name))?.state).toBe('running'));
      await b.start();
      await until(async () => {
        for (const bot of [name, tick])
          expect((await view(b, bot))?.conditions).toContainEqual(
            expect.objectContaining({
              type: 'Fenced',
              status: true,
              reason: 'HeldElsewhere',
              message: expect.stringContaining(`host ${idOf(a)} on `),
            }),
          );
      });
      const types = async (host: RealHost) => (await host.events()).map(({ type }) => type);
      await until(async () => expect(await types(b)).toContain('held-elsewhere'));
      for (const type of ['created', 'claimed', 'started', 'lost', 'missed'])
        expect(await types(b)).not.toContain(type);
      await expect(b.cli('run', tick)).rejects.toMatchObject({ code: 77 });

      // A copy of the data folder is one more host, with the id of the first.
      await b.stop();
      cpSync(join(a.data, 'host-id'), join(b.data, 'host-id'));
      await b.start();
      await until(async () =>
        expect(JSON.stringify((await view(b, name))?.conditions)).toContain('copy of the other'),
      );
      expect((await view(a, name))?.state).toBe('running');

      await until(async () => void (await a.cli('drain', '--wait')));
      await until(async () => expect(await types(b)).toContain('taken-over'));
      await until(async () => expect(await types(b)).toContain('created'));
      await a.cli('resume');
      await until(async () =>
        expect((await view(a, name))?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Ready', reason: 'HeldElsewhere' }),
        ),
      );
    } finally {
      await minio.stop();
    }
  },
  420_000,
);

test.skipIf(image.missing)('a host that nobody knows is not taken away, and said to be unknown', async () => {
  const env = { PATH: process.env.PATH };
  const removal = execute(runtime, ['host', 'remove', '--id', `none${randomBytes(4).toString('hex')}`], {
    env,
  });
  await expect(removal).rejects.toMatchObject({ code: 66, stderr: expect.stringContaining('MINIO_*') });
});
