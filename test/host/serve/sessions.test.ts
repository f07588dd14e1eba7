import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { universalImage } from '../../support/container/docker.ts';
import { scaled } from '../../support/scale.ts';
import { type ReadEvent, readEvents } from '../../support/serve/eventReader.ts';
import { type RealServe, realServe } from '../../support/serve/realServe.ts';

const image = await universalImage();
const fixtures = join(import.meta.dirname, '../../fixtures/agents');
const patience = { timeout: 120_000, interval: 300 };

/** Everything that a stream gives until `done`, read by a client that is cut again and again, whatever becomes of the server. */
async function readAll(serve: RealServe, path: string): Promise<{ events: ReadEvent[]; cuts: number }> {
  const events: ReadEvent[] = [];
  const headers = () => ({
    authorization: `Bearer ${serve.key}`,
    'last-event-id': String(events.at(-1)?.id ?? 0),
  });
  for (let cuts = 0; ; cuts += 1) {
    const reader = await readEvents(`${serve.url}${path}`, headers()).catch(() => undefined);
    const more = 5 + Math.floor(Math.random() * 10);
    await reader?.until((event) => event.type === 'done' || reader.ids.length >= more).catch(() => undefined);
    reader?.cut();
    events.push(...(reader?.events ?? []).filter(({ id }) => id !== undefined));
    if (events.some(({ type }) => type === 'done')) return { events, cuts };
    if (reader === undefined) await pause(50);
  }
}

async function ready(serve: RealServe, id: string): Promise<void> {
  await vi.waitFor(async () => expect((await serve.info(id)).status).toBe('running'), patience);
}

describe.skipIf(image.missing !== undefined)(
  'sessions, snapshots and disks of real sandboxes',
  { timeout: 400_000 + scaled(60_000) },
  () => {
    test('a stream that is cut, and a server that is killed under it: every event once, one turn of the agent', async () => {
      await using serve = await realServe({ image: image.tag });
      await serve.start();
      const code = join(serve.data, 'store/custom-bots');
      mkdirSync(code, { recursive: true });
      execFileSync('tar', ['-C', fixtures, '-cf', join(code, 'parrot.tar'), 'parrot.mjs']);
      const agent = { runtime: 'nodejs20', code: 'parrot.tar', entrypoint: 'parrot.mjs' };
      const { id } = await serve.create({ agent });
      await ready(serve, id);
      const session = (await serve.call('POST', '/v1/sessions', { sandboxId: id })).body;
      const path = `/v1/sessions/${session.id}`;
      const sent = await serve.call('POST', `${path}/message`, { message: 'slow 200' });
      expect(sent).toMatchObject({ status: 202 });
      const reading = readAll(serve, `${path}/events`);
      for (let kills = 0; kills < 2; kills += 1) {
        await pause(500 + Math.random() * 500);
        await serve.kill();
        await serve.start();
      }
      const { events, cuts } = await reading;
      expect(cuts).toBeGreaterThan(1);
      expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at + 1));
      const result = events.find(({ type }) => type === 'result')?.data.finalText;
      expect(events.map(({ data }) => data.delta ?? '').join('')).toBe(result);
      expect(result).toContain(' 199 ');
      const { executions } = (await serve.call('GET', path)).body;
      expect(executions).toMatchObject([{ id: sent.body.executionId, status: 'completed' }]);
    });

    test('a snapshot is whole or none, whenever the server is killed; a fork begins with it; files are there without a sandbox', async () => {
      await using serve = await realServe({ image: image.tag });
      await serve.start();
      const { id } = await serve.create();
      await ready(serve, id);
      const one = `/v1/sandboxes/${id}`;
      const answered = new Map<string, string>();
      for (let round = 0; round < 1 + scaled(2); round += 1) {
        await serve.exec(id, `echo ${round} > round; head -c 2000000 /dev/urandom > noise`);
        const taking = serve.call('POST', `${one}/snapshot`).catch(() => undefined);
        await pause(Math.random() * 1000);
        await serve.kill();
        await serve.start();
        const taken = await taking;
        if (taken?.status === 201) answered.set(String(taken.body.snapshotId), `${round}\n`);
        await ready(serve, id);
      }
      const last = await serve.call('POST', `${one}/snapshot`, { tags: ['last'] });
      expect(last).toMatchObject({ status: 201, body: { tags: ['last'] } });
      const snapshot = String(last.body.snapshotId);
      answered.set(snapshot, (await serve.exec(id, 'cat round')).stdout);
      // Whoever had an answer has that snapshot; what is there is whole, and of all others there is nothing.
      const { snapshots } = (await serve.call('GET', '/v1/snapshots')).body;
      const kept = (snapshots as { snapshotId: string }[]).map((each) => each.snapshotId);
      expect(kept).toEqual(expect.arrayContaining([...answered.keys()]));
      const states = () =>
        readdirSync(join(serve.data, 'store/bot-state')).filter((name) => name.startsWith('snp-'));
      await vi.waitFor(() => expect(states().sort()).toEqual([...kept].sort()), patience);
      for (const name of kept) {
        const whole = await serve.call('GET', `${one}/disk/stat/noise?snapshot=${name}`);
        expect(whole.body.data).toMatchObject({ size: 2_000_000 });
      }
      for (const [name, text] of answered) {
        const read = await serve.call('GET', `${one}/disk/read/round?snapshot=${name}`);
        expect(read.body.data).toMatchObject({ content: text });
      }

      await serve.exec(id, 'echo changed > round');
      const fork = (await serve.call('POST', `${one}/fork`, { checkpointId: snapshot })).body.sandbox as {
        id: string;
      };
      await ready(serve, fork.id);
      const { stdout } = await serve.exec(fork.id, 'cat round; wc -c < noise');
      expect(stdout).toBe(`${answered.get(snapshot)}2000000\n`);
      await serve.call('POST', `${one}/stop`);
      await vi.waitFor(async () => expect((await serve.info(id)).status).toBe('stopped'), patience);
      const saved = await serve.call('POST', `${one}/runtime/files/read`, { path: 'round' });
      expect(saved.body.data).toMatchObject({ content: 'changed\n' });
      const told = await readEvents(`${serve.url}${one}/events?since=0`, {
        authorization: `Bearer ${serve.key}`,
      });
      await told.until(({ type }) => type === 'sandbox.stopped');
      told.cut();
      expect(told.events.map(({ type }) => type)).toEqual(
        expect.arrayContaining([
          'execution.started',
          'file.changed',
          'execution.completed',
          'snapshot.created',
        ]),
      );
    });
  },
);
