import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { showSnapshot } from '../../../src/bot/state/history/showSnapshot.ts';
import { listSnapshots } from '../../../src/bot/state/read/snapshots.ts';
import { openFileStore } from '../../../src/store/file/file.ts';
import { runAgent } from '../../support/agent/runAgent.ts';

const TOKEN = 'whoever-may-publish';
const patience = { timeout: 30_000, interval: 100 };

/** A bot without queries or messages, whose state nobody saves but who asks. */
async function run(env: Record<string, string>) {
  const bot = await runAgent({
    env: {
      RUNTIME: 'command',
      ENTRYPOINT: 'cd "$(dirname "$STATE_DIR")"; echo one > notes; env > seen; echo up; exec sleep 600',
      SYNC_INTERVAL: '1h',
      SYNC_ON_CHANGE: '0',
      ...env,
    },
  });
  await bot.runtime.prints('up');
  const publish = (method = 'POST', token = TOKEN) =>
    fetch(`${bot.url}/_runtime/publish`, { method, headers: { authorization: `Bearer ${token}` } });
  const signal = new AbortController().signal;
  const context = {
    store: openFileStore(bot.store, 'bot-state'),
    bot: 'an-agent',
    clock: systemClock,
    warn: () => undefined,
  };
  const sizeOf = async (sequence: number, path: string) =>
    (await showSnapshot(context, sequence, signal)).entries.find((entry) => entry.path === path)?.size;
  return {
    ...bot,
    publish,
    sizeOf,
    sequences: () => listSnapshots(context, signal).then((all) => all.map((s) => s.sequence)),
  };
}

/** Once the daemon is up. */
async function published(bot: Awaited<ReturnType<typeof run>>) {
  await expect
    .poll(
      () =>
        bot.publish().then(
          (answer) => answer.status,
          () => 0,
        ),
      patience,
    )
    .toBe(200);
  return (await (await bot.publish()).json()) as { data: { sequence: number } };
}

test('whoever has the token gets a snapshot of what is there now; nobody else does', async () => {
  const bot = await run({ PUBLISH_TOKEN: TOKEN });
  const { data } = await published(bot);
  expect(await bot.sizeOf(data.sequence, 'notes')).toBe(4);
  // Nothing has changed: it is saved already.
  expect(await (await bot.publish()).json()).toEqual({ status: 'ok', data });

  appendFileSync(join(bot.env.STATE_PATH!, 'notes'), 'two\n');
  expect((await bot.publish('POST', 'a guess')).status).toBe(401);
  expect((await bot.publish('GET')).status).toBe(405);
  expect(await bot.sequences()).toEqual([data.sequence]);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => bot.publish().then((answer) => answer.json())),
  );
  const expected = { status: 'ok', data: { sequence: data.sequence + 1 } };
  expect(answers).toEqual(Array(8).fill(expected));
  expect(await bot.sizeOf(data.sequence + 1, 'notes')).toBe(8);
  // The bot cannot ask for it: it does not see the token.
  expect(readFileSync(join(bot.env.STATE_PATH!, 'seen'), 'utf8')).not.toContain(TOKEN);

  const away = `${bot.store}.away`;
  appendFileSync(join(bot.env.STATE_PATH!, 'notes'), 'three\n');
  renameSync(bot.store, away);
  writeFileSync(bot.store, 'no store');
  const refused = await bot.publish();
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({
    status: 'error',
    error: expect.stringContaining('not saved'),
  });
});

test('without a token there is nobody who may, and nothing is served for it', async () => {
  const bot = await run({ QUERY_ENTRYPOINT: 'exec sleep 600' });
  await expect
    .poll(
      () =>
        bot.publish().then(
          (answer) => answer.status,
          () => 0,
        ),
      patience,
    )
    .toBe(405);
});
