import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { canMountDisk, mountDisk } from '../../support/container/mountDisk.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

const [greedy, modest] = [ownName('greedy'), ownName('modest')];

const bot = (name: string, mebibytes: number) => `
name: ${name}
type: realtime
runtime: command
entrypoints: {bot: 'head -c ${mebibytes}M /dev/urandom > /state/data; while true; do sleep 1; done'}
resources: {disk: 6Mi}
`;

/** The host's data folder on a real disk of 64 MiB, with real containers that write to it. */
test.skipIf(image.missing !== undefined || !canMountDisk)(
  'a bot over its disk is told so, and stopped before it costs the others theirs',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'host-disk-'));
    const data = join(root, 'data');
    const disk = mountDisk(data, join(root, 'image'));
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    const ballast = join(data, 'ballast');
    /** Until that share of the disk is free. */
    const fillTo = (share: number, name: string) => {
      const { bavail, blocks, bsize } = statfsSync(data);
      writeFileSync(join(ballast, name), Buffer.alloc(Math.max(0, bavail - blocks * share) * bsize));
    };
    const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 120_000, interval: 500 });
    try {
      await using host = await realHost({ image: image.tag, minio, data, env: { SYNC_INTERVAL: '1h' } });
      host.write({ [`${greedy}/bot.yaml`]: bot(greedy, 7), [`${modest}/bot.yaml`]: bot(modest, 1) });
      await host.start();
      const view = async (name: string) => (await host.list()).find((one) => one.name === name);
      const degraded = async (name: string) =>
        (await view(name))?.conditions.find(({ type }) => type === 'Degraded')?.reason;
      for (const name of [greedy, modest])
        await until(async () => expect((await view(name))?.state).toBe('running'));
      const written = (name: string) => statSync(join(data, 'bots', name, 'state/data')).size / 2 ** 20;
      await until(async () => expect([written(greedy), written(modest)]).toEqual([7, 1]));

      // A host that begins on a disk with little room looks at once.
      await host.kill();
      mkdirSync(ballast);
      fillTo(0.17, 'scarce');
      await host.start();
      await until(async () => expect(await degraded(greedy)).toBe('DiskOverLimit'));
      await until(async () => expect((await view(greedy))?.state).toBe('running'));
      expect(await degraded(modest)).toBeUndefined();

      const before = await docker('inspect', '-f', '{{.State.StartedAt}}', `rt-${modest}`);
      fillTo(0.07, 'full');
      await until(async () => expect((await view(greedy))?.state).toBe('waiting'));
      const ready = async (name: string) =>
        (await view(name))?.conditions.find(({ type }) => type === 'Ready');
      await until(async () => expect((await ready(greedy))?.reason).toBe('HostFull'));
      expect(await docker('inspect', '-f', '{{.State.Running}}', `rt-${modest}`)).toBe('true\n');

      // Not one byte is left, for root either: nothing can be recorded, so nothing is stopped, and a host that cannot begin ends.
      const fill = openSync(join(ballast, 'last'), 'w');
      expect(() => {
        for (;;) writeSync(fill, Buffer.alloc(64 * 1024));
      }).toThrow(/ENOSPC/);
      closeSync(fill);
      host.write({ [`${modest}/bot.yaml`]: `${bot(modest, 1)}env: {CHANGED: '1'}\n` });
      await until(async () =>
        expect((await ready(modest))?.message).toMatch(/^runs; a change waits because/),
      );
      await host.kill();
      await host.start();
      await pause(3_000);
      await host.kill();
      expect(await docker('inspect', '-f', '{{.State.StartedAt}}', `rt-${modest}`)).toBe(before);

      host.write({ [`${modest}/bot.yaml`]: bot(modest, 1) });
      rmSync(ballast, { recursive: true });
      await host.start();
      await until(async () => expect((await view(greedy))?.state).toBe('running'));
      expect(await docker('inspect', '-f', '{{.State.StartedAt}}', `rt-${modest}`)).toBe(before);
      await host.kill();
    } finally {
      await minio.stop();
      disk[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    }
  },
  300_000,
);
