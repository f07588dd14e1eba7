import { randomBytes } from 'node:crypto';
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
  { timeout: 900_000 + scaled(120_000) },
  () => {
    test('runs each time once or says why not, and no bot notices', async () => {
      // At eight times the length: 104 kills, 20 bots.
      const kills = scaled(13);
      // Names are the engine's: what a run that was killed has left, or runs beside, takes none of these.
      const tag = randomBytes(3).toString('hex');
      const bots = Array.from({ length: Math.min(16, scaled(4)) }, (_, i) => `s${i}-${tag}`);
      const always = [0, 1, 2, 3].map((i) => `r${i}-${tag}`);
      // A start of each of them has to fit, on a busy machine too.
      const seconds = bots.length > 4 ? 30 : 15;
      const minio = await startMinio({ address: '0.0.0.0', quiet: true });
      try {
        await using host = await realHost({ image: image.tag, minio });
        for (const name of bots)
          host.write({ [`${name}/bot.yaml`]: scheduled(name, seconds), [`${name}/code`]: name });
        for (const name of always) host.write({ [`${name}/bot.yaml`]: realtime(name) });
        await host.start();
        await vi.waitFor(
          async () => {
            const running = (await host.list()).filter(({ state }) => state === 'running');
            expect(running.filter(({ spec }) => spec?.type === 'realtime').length).toBe(always.length);
          },
          { timeout: 120_000, interval: 500 },
        );
        const uptimes = () =>
          docker('inspect', '-f', '{{.Id}} {{.State.StartedAt}}', ...always.map((name) => `rt-${name}`));
        const before = await uptimes();

        for (let i = 0; i < kills; i++) {
          await pause(Math.random() * 6_000);
          await host.kill();
          await pause(Math.random() * 1_500);
          await host.start();
        }
        const lastStart = Date.now();
        const ledger = (bot: string): number[] => {
          const file = join(host.data, 'bots', bot, 'state/.the0-state/ledger');
          return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Date.parse) : [];
        };
        await vi.waitFor(
          () => {
            for (const bot of bots) expect(Math.max(...ledger(bot)), bot).toBeGreaterThan(lastStart);
          },
          { timeout: 120_000, interval: 500 },
        );
        // No further times, and what runs comes to its end.
        for (const name of bots)
          host.write({ [`${name}/bot.yaml`]: `${scheduled(name, seconds)}enabled: false\n` });
        await vi.waitFor(
          async () => {
            const live = (await host.list()).filter(({ spec }) => spec?.type === 'scheduled');
            expect(live.map(({ state }) => state)).toEqual(bots.map(() => 'disabled'));
          },
          { timeout: 120_000, interval: 500 },
        );
        expect(await uptimes()).toBe(before);

        const events = await host.events();
        const begun = events.find(({ type }) => type === 'host-started')!.at;
        let [due, counted] = [0, 0];
        for (const bot of bots) {
          const ran = ledger(bot);
          counted += ran.length;
          expect(new Set(ran).size, `${bot} ran a time twice`).toBe(ran.length);
          const told = events.filter(
            (event) => event.bot === bot && ['missed', 'skipped', 'lost'].includes(event.type),
          );
          const first = Math.min(...ran);
          const last = Math.max(...ran);
          for (let time = first; time <= last; time += seconds * 1_000) {
            due++;
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
          expect(first - begun).toBeLessThan(120_000);
        }
        expect(events.filter(({ type }) => type === 'lost')).toEqual([]);
        // It has been tried: most times were run.
        expect(counted).toBeGreaterThan(due / 3);
        console.log(`${kills} kills, ${bots.length + always.length} bots: ${due} times due, ${counted} run`);
      } finally {
        await minio.stop();
      }
    });
  },
);
