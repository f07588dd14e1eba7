import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { zip } from '../../support/files/archives.ts';
import { ownName } from '../../support/host/ownName.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

const bot = (name: string, more: string) => `name: ${name}\nruntime: command\n${more}`;
const realtimeOf = 'type: realtime\nentrypoints: {bot: "while true; do sleep 1; done"}\n';
const [stays, lateName] = [ownName('r'), ownName('late')];
/** Counts into its state, five times a second. */
const counting = (name: string) =>
  bot(
    name,
    `type: realtime\nentrypoints: {bot: 'mkdir -p "$STATE_DIR"; i=0; while true; do i=$((i+1)); echo $i >> "$STATE_DIR/ledger"; sleep 0.2; done'}\n`,
  );
/** How long the store is away: `RUNTIME_TEST_AWAY_SECONDS`. */
const awayMs = Number(process.env.RUNTIME_TEST_AWAY_SECONDS ?? 15) * 1_000;
const runtime = join(import.meta.dirname, '../../../dist/runtime');
const late = bot(lateName, realtimeOf);

describe.skipIf(image.missing !== undefined)('a store that is away for a while', { timeout: 300_000 }, () => {
  test('stops no bot; what is new waits, says why, and starts when it is back', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      host.write({ [`${stays}/bot.yaml`]: bot(stays, realtimeOf) });
      await host.start();
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 500 });
      const stateOf = async (name: string) => (await host.list()).find((one) => one.name === name)?.state;
      await until(async () => expect(await stateOf(stays)).toBe('running'));
      const before = await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', `rt-${stays}`);

      await minio.kill();
      host.write({ [`${lateName}.yaml`]: `${late}code: {file: late.zip}\n` });
      await until(async () => {
        const view = (await host.list()).find(({ name }) => name === lateName);
        expect(view?.conditions.find(({ type }) => type === 'CodeAvailable')?.status).not.toBe(true);
        expect(view?.conditions.find(({ type }) => type === 'Degraded')?.message).toMatch(
          /store|refused|answer/i,
        );
      });
      await pause(10_000);
      expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', `rt-${stays}`)).toBe(before);
      expect(await stateOf(stays)).toBe('running');

      await minio.start();
      host.write({ [`${lateName}.yaml`]: '' });
      host.write({ [`${lateName}/bot.yaml`]: late });
      const { rmSync } = await import('node:fs');
      rmSync(`${host.bots}/${lateName}.yaml`);
      await until(async () => expect(await stateOf(lateName)).toBe('running'));
      expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', `rt-${stays}`)).toBe(before);
    } finally {
      await minio.stop();
    }
  });

  test('loses nothing of what bots write meanwhile, and what is new waits for it', async () => {
    const names = ['c0', 'c1', 'c2'].map(ownName);
    const later = ownName('new');
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio, env: { SYNC_INTERVAL: '2s' } });
      await minio.client.putObject(
        'custom-bots',
        'new.zip',
        zip([{ name: 'code', data: Buffer.from('new') }]),
      );
      for (const name of names) host.write({ [`${name}/bot.yaml`]: counting(name) });
      await host.start();
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 500 });
      const states = async () => (await host.list()).map(({ name, state }) => [name, state]);
      const ledger = (name: string) =>
        readFileSync(join(host.data, 'bots', name, 'state/.the0-state/ledger'), 'utf8');
      await until(async () => expect(await states()).toEqual(names.map((name) => [name, 'running'])));
      // Each has its state from the store, and writes.
      await until(async () => expect(names.map((name) => ledger(name)).includes('')).toBe(false));
      const uptimes = () =>
        docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', ...names.map((name) => `rt-${name}`));
      const before = await uptimes();

      await minio.kill();
      host.write({ [`${later}.yaml`]: `${bot(later, realtimeOf)}code: {file: new.zip}\n` });
      const backAt = Date.now() + awayMs;
      while (Date.now() < backAt) {
        await pause(2_000);
        expect(await uptimes()).toBe(before);
        expect((await states()).find(([name]) => name === later)?.[1]).not.toBe('running');
      }
      const written = names.map((name) => ledger(name));
      await minio.start();
      await until(async () =>
        expect(await states()).toEqual([...names, later].map((name) => [name, 'running'])),
      );
      expect(await uptimes()).toBe(before);

      await host.cli('drain', '--wait');
      for (const [i, name] of names.entries()) {
        const to = join(host.data, `restored-${name}`);
        const { endpoint, accessKey, secretKey } = minio;
        await promisify(execFile)(runtime, ['state', 'restore', name, '--to', to], {
          env: { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey },
        });
        const saved = readFileSync(join(to, '.the0-state/ledger'), 'utf8');
        expect(saved).toBe(ledger(name));
        expect(saved.startsWith(written[i]!)).toBe(true);
        const lines = saved.trim().split('\n').map(Number);
        expect(lines).toEqual(lines.map((_, index) => index + 1));
      }
    } finally {
      await minio.stop();
    }
  });
});
