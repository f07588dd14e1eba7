import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Pulled } from '../../../../../src/agent/supervisor/life/life.ts';
import { readAhead } from '../../../../../src/agent/supervisor/life/readAhead.ts';
import { systemClock } from '../../../../../src/base/clock.ts';
import type { Config } from '../../../../../src/bot/config/config.ts';
import { serializeClaim } from '../../../../../src/bot/state/claim/claim.ts';
import { memoryLog } from '../../../../support/memoryLog.ts';
import { signal, TestBot } from '../../../bot/state/support/bot.ts';

/** A second start on the directory of a first one, which has saved more than fits into the head. */
async function restarted(bot: TestBot): Promise<Pulled> {
  const first = await bot.start('state');
  for (let i = 0; i < 300; i++) writeFileSync(join(first.dir, `f${i}`), `${i}`);
  await first.publisher.publish({ signal });
  const { claim, report } = await bot.start('state');
  expect(report).toMatchObject({ kept: true, snapshot: undefined });
  const stores = { open: async () => bot.store, close: async () => undefined };
  return { state: serializeClaim(claim), stores, restored: { snapshot: undefined } };
}

const ahead = async (bot: TestBot, pulled: Pulled, botType: Config['botType'] = 'scheduled') => {
  const config = { botId: bot.name, botType } as Config;
  readAhead({ pulled, config, clock: systemClock, log: memoryLog().log });
  return await pulled.restored.snapshot;
};

test('the snapshot of a state that was kept is read while the bot runs', async () => {
  await using bot = await TestBot.open();
  const pulled = await restarted(bot);
  expect((await ahead(bot, pulled))?.tree.length).toBe(300);
});

test('a bot that stays has a daemon, which reads it', async () => {
  await using bot = await TestBot.open();
  const pulled = await restarted(bot);
  expect(await ahead(bot, pulled, 'realtime')).toBeUndefined();
});

test('one that cannot be read is left to who needs it', async () => {
  await using bot = await TestBot.open();
  const pulled = await restarted(bot);
  rmSync(bot.object('manifests'), { recursive: true });
  expect(await ahead(bot, pulled)).toBeUndefined();
});
