import { expect, inject, test } from 'vitest';
import { freePort } from '../../support/process/freePort.ts';
import { supervised } from '../../support/process/supervised.ts';
import { readSaved } from '../../support/store/readSaved.ts';

test('what the bot writes is told as it happens', async () => {
  const port = await freePort();
  const bot = await supervised('echo up; while :; do date +%N > now; sleep 0.1; done');
  const run = bot.start({ BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'exec sleep 1000', QUERY_PORT: `${port}` });
  await run.prints('up');
  const page = () => fetch(`http://127.0.0.1:${port}/_runtime/events`).catch(() => undefined);
  await expect.poll(async () => (await page())?.status, { timeout: 10_000 }).toBe(200);
  let seen = '';
  for await (const piece of (await page())!.body!.pipeThrough(new TextDecoderStream())) {
    seen += piece;
    if (/^event: file\.changed\n.*\n\n/m.test(seen)) break;
  }
  const data = /^event: file\.changed\ndata: (.*)$/m.exec(seen)![1]!;
  expect(JSON.parse(data)).toMatchObject({ type: 'file.changed', data: { path: 'now' } });
  run.child.kill('SIGTERM');
  await run.finished;
});

test('what the bot wrote before anybody watched is saved soon, and not only after an interval', async () => {
  const bot = await supervised('echo early > first; echo up; exec sleep 1000');
  const run = bot.start({ SYNC_INTERVAL: '1h' });
  await run.prints('up');
  await expect
    .poll(() => readSaved(inject('minio'), bot.env.BOT_ID!, 'first'), { timeout: 40_000, interval: 500 })
    .toBe('early\n');
  run.child.kill('SIGTERM');
  await run.finished;
});
