import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { passChain } from '../../../src/host/engine/docker/networks/passThroughDocker.ts';
import { tableName } from '../../../src/host/engine/docker/networks/ruleset.ts';
import { runFilter } from '../../../src/host/engine/docker/networks/runFilter.ts';
import { docker, universalImage } from '../../support/container/docker.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();
const runtime = join(import.meta.dirname, '../../../dist/runtime');
const timeout = 240_000;

interface Exit {
  readonly code: number;
  readonly text: string;
}

function removeHost(...args: string[]): Promise<Exit> {
  return new Promise((resolve) => {
    execFile(runtime, ['host', 'remove', ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    );
  });
}

test.skipIf(image.missing !== undefined)(
  'a host that is gone for good is taken away, and not before its bots are',
  async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      const name = ownName('gone');
      const bot = `name: ${name}\ntype: realtime\nruntime: command\nentrypoints: {bot: "exec sleep 1000"}\n`;
      host.write({ [`${name}/bot.yaml`]: bot });
      await host.start();
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 300 });
      await until(async () => expect((await host.list()).map(({ state }) => state)).toEqual(['running']));
      const id = readFileSync(join(host.data, 'host-id'), 'utf8').trim();
      const label = `label=runtime.host=${id}`;
      const left = async () => ({
        containers: (await docker('ps', '--all', '--quiet', '--filter', label)).trim() !== '',
        networks: (await docker('network', 'ls', '--quiet', '--filter', label)).trim() !== '',
        table: (await runFilter('nft', ['list', 'tables'])).includes(tableName(id)),
        pass: (await runFilter('iptables', ['-S'])).includes(passChain(id)),
      });
      const all = { containers: true, networks: true, table: true, pass: true };
      expect(await left()).toEqual(all);

      expect((await removeHost('--data', join(host.data, 'nowhere'))).code).toBe(66);
      // While it runs; while its bots do.
      expect((await removeHost('--data', host.data)).code).toBe(75);
      await host.kill();
      const refused = await removeHost('--data', host.data);
      expect(refused).toMatchObject({ code: 77, text: expect.stringContaining(`rt-${name}`) });
      expect((await removeHost('--id', id)).code).toBe(77);
      expect(await left()).toEqual(all);

      await host.start();
      await until(async () => void (await host.cli('drain', '--wait')));
      await host.stop();
      expect(await removeHost('--data', host.data, '--json')).toMatchObject({
        code: 0,
        text: expect.stringContaining(id),
      });
      expect(await left()).toEqual({ containers: false, networks: false, table: false, pass: false });
      expect(existsSync(join(host.data, 'bots', name, 'state'))).toBe(true);

      // It goes on as the same host.
      expect((await removeHost('--data', host.data)).code).toBe(0);
      await host.start();
      await until(async () => void (await host.cli('resume')));
      await until(async () => expect((await host.list()).map(({ state }) => state)).toEqual(['running']));
    } finally {
      await minio.stop();
    }
  },
  timeout,
);
