import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { docker, universalImage } from '../../support/container/docker.ts';
import { realHost } from '../../support/host/realHost.ts';
import { scaled } from '../../support/scale.ts';
import { startMinio } from '../../support/store/minio.ts';

const image = await universalImage();

const scheduled = (name: string, seconds: number) =>
  `
name: ${name}
type: scheduled
runtime: command
entrypoints:
  bot: 'mkdir -p "$STATE_DIR"; echo "$RUN_TIME" >> "$STATE_DIR/ledger"; sleep 1'
schedule: {cron: "*/${seconds} * * * * *", missed: once}
sync: null
`.replace('sync: null\n', '');

const realtime = (name: string) => `
name: ${name}
type: realtime
runtime: command
entrypoints: {bot: 'while true; do sleep 1; done'}
`;

describe.skipIf(image.missing !== undefined)(
  'a host that is killed at any moment',
  { timeout: 1_200_000 },
  () => {
    test('runs each time once or says why not, and no bot notices', async () => {
      const kills = scaled(12);
      const bots = ['s0', 's1', 's2', 's3'];
      const minio = await startMinio({ address: '0.0.0.0', quiet: true });
      try {
        await using host = await realHost({ image: image.tag, minio });
        for (const name of bots)
          host.write({ [`${name}/bot.yaml`]: scheduled(name, 15), [`${name}/code`]: name });
        for (const name of ['r0', 'r1', 'r2']) host.write({ [`${name}/bot.yaml`]: realtime(name) });
        await host.start();
        await vi.waitFor(
          async () => {
            const running = (await host.list()).filter(({ state }) => state === 'running');
            expect(running.filter(({ spec }) => spec?.type === 'realtime').length).toBe(3);
          },
          { timeout: 60_000, interval: 500 },
        );
        const uptimes = () =>
          docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', 'rt-r0', 'rt-r1', 'rt-r2');
        const before = await uptimes();

        for (let i = 0; i < kills; i++) {
          await pause(Math.random() * 6_000);
          await host.kill();
          await pause(Math.random() * 1_500);
          await host.start();
        }
        await pause(20_000);
        // No further times, and what runs comes to its end.
        for (const name of bots)
          host.write({ [`${name}/bot.yaml`]: `${scheduled(name, 15)}enabled: false\n` });
        await vi.waitFor(
          async () => {
            const live = (await host.list()).filter(({ spec }) => spec?.type === 'scheduled');
            expect(live.map(({ state }) => state)).toEqual(bots.map(() => 'disabled'));
          },
          { timeout: 60_000, interval: 500 },
        );
        expect(await uptimes()).toBe(before);

        const events = await host.events();
        const begun = events.find(({ type }) => type === 'host-started')!.at;
        for (const bot of bots) {
          const file = join(host.data, 'bots', bot, 'state/.the0-state/ledger');
          const ran = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Date.parse) : [];
          expect(ran.length).toBeGreaterThan(kills / 5);
          expect(new Set(ran).size, `${bot} ran a time twice`).toBe(ran.length);
          const told = events.filter(
            (event) => event.bot === bot && ['missed', 'skipped', 'lost'].includes(event.type),
          );
          const first = Math.min(...ran);
          const last = Math.max(...ran);
          for (let time = first; time <= last; time += 15_000) {
            const ofTime = told.filter(
              ({ facts }) =>
                facts.time === time || ((facts.from as number) <= time && time <= (facts.to as number)),
            );
            const outcomes = (ran.includes(time) ? 1 : 0) + (ofTime.length > 0 ? 1 : 0);
            expect([bot, new Date(time).toISOString(), outcomes]).toEqual([
              bot,
              new Date(time).toISOString(),
              1,
            ]);
          }
          expect(first - begun).toBeLessThan(60_000);
        }
        expect(events.filter(({ type }) => type === 'lost')).toEqual([]);
      } finally {
        await minio.stop();
      }
    });
  },
);
