import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { anonymousBytes } from '../support/process/anonymousBytes.ts';
import type { StartedRuntime } from '../support/process/executable.ts';
import { freePort } from '../support/process/freePort.ts';
import { type Supervised, supervised } from '../support/process/supervised.ts';
import { waitForRole } from '../support/process/waitForRole.ts';
import { scaled } from '../support/scale.ts';
import { type Minio, startMinio } from '../support/store/minio.ts';
import { readSaved } from '../support/store/readSaved.ts';

const MIB = 2 ** 20;
/** How long MinIO is down, seconds: a minute with `RUNTIME_TEST_SCALE=12`. */
const outage = scaled(5);

/** A bot on a MinIO of its own, which can be stopped. */
async function botWithStore(script: string): Promise<{ bot: Supervised; store: Minio }> {
  const store = await startMinio({ port: await freePort() });
  onTestFinished(() => store.stop());
  const bot = await supervised(script);
  // Its code lies in the store that all tests share; a shell bot needs none.
  const { CODE_FILE: _, ...env } = bot.env;
  return {
    bot: { ...bot, start: (extra) => bot.start({ ...env, CODE_FILE: '', ...store.env(), ...extra }) },
    store,
  };
}

async function shipped({ client }: Minio, botId: string): Promise<string[]> {
  let text = '';
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${botId}/`, true)) {
    for await (const chunk of await client.getObject('bot-logs', name)) text += chunk;
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { stream: string; message: string })
    .filter(({ stream }) => stream === 'stdout')
    .map(({ message }) => message);
}

/** The longest time in which nothing came, milliseconds. */
function longestSilence(run: StartedRuntime): () => number {
  let last = Date.now();
  let longest = 0;
  run.child.stdout!.on('data', () => {
    longest = Math.max(longest, Date.now() - last);
    last = Date.now();
  });
  return () => longest;
}

test(`MinIO is stopped for ${outage} s in the middle of a run: nothing is lost, and nothing piles up in memory`, {
  timeout: outage * 1000 + 120_000,
}, async () => {
  // 100 lines of 2 kB and a new state ten times a second.
  const { bot, store } = await botWithStore(`
trap 'echo bye; exit 0' TERM; pad=$(head -c 2000 /dev/zero | tr '\\0' x); i=0
while :; do
  i=$((i+1)); k=0; while [ $k -lt 10 ]; do k=$((k+1)); echo "line $i $k $pad"; done
  head -c 100000 /dev/urandom > big.new; mv big.new big; echo $i > count; sleep 0.1
done`);
  const botId = bot.env.BOT_ID!;
  const saved = async () => Number(await readSaved(store, botId, 'count')) || 0;
  const run = bot.start({ SYNC_INTERVAL: '500ms', SYNC_ON_CHANGE: '0' });
  const silence = longestSilence(run);
  await expect.poll(saved, { timeout: 20_000 }).toBeGreaterThan(0);
  const roles = { supervisor: run.child.pid!, daemon: await waitForRole(run.child.pid!, 'daemon') };
  const memory = () => Object.values(roles).map(anonymousBytes);
  // As much as takes a few seconds, however busy the machine is: what they need from now on is the outage's.
  await expect.poll(saved, { timeout: 40_000 }).toBeGreaterThan(25);
  const before = memory();

  await store.kill();
  let peak = before;
  for (const until = Date.now() + outage * 1000; Date.now() < until; ) {
    await sleep(200);
    peak = memory().map((bytes, i) => Math.max(bytes, peak[i]!));
  }
  const counted = Number(/line (\d+) 1 /.exec(run.stdout().slice(-25_000))?.[1]);
  await store.start();
  await expect.poll(saved, { timeout: 60_000 }).toBeGreaterThanOrEqual(counted);

  run.child.kill('SIGTERM');
  const end = await run.finished;
  expect(end.code, end.stderr).toBe(0);
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', stateSaved: true, logsSaved: true });
  const said = end.stdout.trimEnd().split('\n');
  expect(await shipped(store, botId)).toEqual(said);
  // Contract, section 7: held back for at most 10 s.
  expect(silence()).toBeLessThan(10_000);
  const mib = (bytes: readonly number[]) => bytes.map((each) => (each / MIB).toFixed(1)).join(' and ');
  console.log(
    `supervisor and daemon: ${mib(before)} MiB before, at most ${mib(peak)} MiB while MinIO was down for ${outage} s; ` +
      `longest silence of the bot ${silence()} ms, ${said.length} lines`,
  );
  for (const [i, bytes] of peak.entries()) expect(bytes).toBeLessThan(before[i]! + 16 * MIB);
});

// Ten seconds in which the bot stands still.
test.runIf(scaled(1) > 1)(
  'MinIO is stopped and the bot says more than there is room for: it is held for 10 s, and a line says what is missing',
  { timeout: 120_000 },
  async () => {
    const { bot, store } = await botWithStore(`
read -r go < go.fifo; pad=$(head -c 1000 /dev/zero | tr '\\0' x); i=0
while [ $i -lt 45000 ]; do i=$((i+1)); echo "line $i $pad"; done; exec sleep 3600`);
    const run = bot.start({
      ENTRYPOINT: bot.env.ENTRYPOINT!.replace('read -r', 'mkfifo go.fifo; echo up; read -r'),
    });
    const silence = longestSilence(run);
    await run.prints('up');
    await waitForRole(run.child.pid!, 'daemon');
    await sleep(2000);
    await store.kill();
    await writeFile(`${bot.env.STATE_PATH}/go.fifo`, 'go\n');
    await run.prints('line 45000 ');
    expect(silence()).toBeGreaterThan(8000);
    expect(silence()).toBeLessThan(12_000);
    await store.start();
    run.child.kill('SIGTERM');
    expect((await run.finished).code).toBe(143);
    const { client } = store;
    let text = '';
    for await (const { name } of client.listObjectsV2('bot-logs', `logs/${bot.env.BOT_ID}/`, true)) {
      for await (const chunk of await client.getObject('bot-logs', name)) text += chunk;
    }
    const messages = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message);
    const missing = messages.flatMap((message) => /(\d+) earlier lines/.exec(message)?.[1] ?? []).map(Number);
    expect(missing).toHaveLength(1);
    // `up` and the lines; the note itself is one more.
    expect(messages.length - 1 + missing[0]!).toBe(45_001);
  },
);

test('MinIO is stopped before the end: 74 says what was not saved; the next start keeps the newer state and ships the rest', async () => {
  const { bot, store } = await botWithStore(
    "trap 'echo last; echo 2 > file; exit 0' TERM; echo 1 > file; echo up; while :; do sleep 0.05; done",
  );
  const botId = bot.env.BOT_ID!;
  const run = bot.start({ STOP_TIMEOUT: '8s', SYNC_INTERVAL: '200ms' });
  await run.prints('up');
  await expect.poll(() => readSaved(store, botId, 'file'), { timeout: 20_000 }).toBe('1\n');
  await store.kill();
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(74);
  const record = await bot.exitRecord();
  expect(record).toMatchObject({ source: 'runtime', code: 0, exit: 74, stateSaved: false, logsSaved: false });
  expect(record.reason).toMatch(/state: .*logs: /);
  await store.start();
  const again = await bot.start({ ENTRYPOINT: 'cat "$STATE_PATH/file"' }).finished;
  expect(again).toMatchObject({ code: 0, stdout: '2\n' });
  expect(await readSaved(store, botId, 'file')).toBe('2\n');
  expect(await shipped(store, botId)).toEqual(['up', 'last', '2']);
});
