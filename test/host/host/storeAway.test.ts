import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { realHost } from '../../support/host/realHost.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

const bot = (name: string, more: string) => `name: ${name}\nruntime: command\n${more}`;
const realtime = bot('r', 'type: realtime\nentrypoints: {bot: "while true; do sleep 1; done"}\n');
const late = bot('late', 'type: realtime\nentrypoints: {bot: "while true; do sleep 1; done"}\n');

describe.skipIf(image.missing !== undefined)('a store that is away for a while', { timeout: 300_000 }, () => {
  test('stops no bot; what is new waits, says why, and starts when it is back', async () => {
    const minio = await startMinio({ address: '0.0.0.0', quiet: true });
    try {
      await using host = await realHost({ image: image.tag, minio });
      host.write({ 'r/bot.yaml': realtime });
      await host.start();
      const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 500 });
      const stateOf = async (name: string) => (await host.list()).find((one) => one.name === name)?.state;
      await until(async () => expect(await stateOf('r')).toBe('running'));
      const before = await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', 'rt-r');

      await minio.kill();
      host.write({ 'late.yaml': `${late}code: {file: late.zip}\n` });
      await until(async () => {
        const view = (await host.list()).find(({ name }) => name === 'late');
        expect(view?.conditions.find(({ type }) => type === 'CodeAvailable')?.status).not.toBe(true);
        expect(view?.conditions.find(({ type }) => type === 'Degraded')?.message).toMatch(
          /store|refused|answer/i,
        );
      });
      await pause(10_000);
      expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', 'rt-r')).toBe(before);
      expect(await stateOf('r')).toBe('running');

      await minio.start();
      host.write({ 'late.yaml': '' });
      host.write({ 'late/bot.yaml': late });
      const { rmSync } = await import('node:fs');
      rmSync(`${host.bots}/late.yaml`);
      await until(async () => expect(await stateOf('late')).toBe('running'));
      expect(await docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', 'rt-r')).toBe(before);
    } finally {
      await minio.stop();
    }
  });
});
