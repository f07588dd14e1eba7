import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { readProcessTable } from '../../../src/base/process/processTree.ts';
import { signalProcess } from '../../../src/base/process/signalProcess.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { runRuntime, type StartedRuntime, startRuntime } from '../../support/process/executable.ts';
import { killTogether } from '../../support/process/killTogether.ts';
import { processesWith } from '../../support/process/roleOf.ts';
import { type Supervised, supervised } from '../../support/process/supervised.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';
import { scaled } from '../../support/scale.ts';
import { both, faultyBot, isPack, isPut } from '../../support/store/faultyStore.ts';
import { minioClient } from '../../support/store/minio.ts';

const minio = inject('minio');
/** Counts as fast as it can write, and says how far it came when it is asked to end. */
const counting =
  "trap 'echo end $(cat n); exit 0' TERM; i=0; while :; do i=$((i+1)); echo $i > n.tmp; mv n.tmp n; sleep 0.01; [ $i = 1 ] && echo up; done";

const logOf = async (botId: string): Promise<string> => {
  let text = '';
  const client = minioClient(minio);
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${botId}/`, true)) {
    for await (const chunk of await client.getObject('bot-logs', name)) text += chunk;
  }
  return text;
};

test('the daemon is killed again and again: the bot goes on, and everything is saved', async () => {
  const bot = await supervised(counting);
  const run = bot.start({ SYNC_INTERVAL: '100ms', SYNC_ON_CHANGE: '0' });
  await run.prints('up');
  let daemon: number | undefined;
  for (let i = 0; i < scaled(8); i += 1) {
    daemon = await waitForRole(run.child.pid!, 'daemon', daemon);
    await sleep(Math.random() * 300);
    process.kill(daemon, 'SIGKILL');
  }
  run.child.kill('SIGTERM');
  const end = await run.finished;
  expect(end).toMatchObject({ code: 0 });
  expect(end.stderr).toContain('died and is started again');
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', stateSaved: true, logsSaved: true });
  const last = /end (\d+)/.exec(end.stdout)?.[1];
  expect(await bot.saved('cat n')).toBe(`${last}\n`);
  const lines = (await logOf(bot.env.BOT_ID!)).split('\n').filter((line) => line.includes('"stdout"'));
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  expect(messages).toEqual(['up', `end ${last}`, `${last}`]);
});

test('the daemon is killed while it saves for the last time', async () => {
  const bot = await faultyBot(
    "trap 'exit 0' HUP; head -c 30000000 /dev/urandom > big; sha256sum big; echo up; while :; do sleep 0.05; done",
  );
  const run = bot.start({ LOG_LEVEL: 'debug', SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
  await run.prints('up');
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  bot.strike(both(isPack, isPut), { killBefore: () => process.kill(daemon, 'SIGKILL') });
  run.child.kill('SIGHUP');
  const end = await run.finished;
  expect(bot.struck()).toBe(1);
  expect(end).toMatchObject({ code: 0 });
  expect(end.stderr).toContain('died and is started again');
  expect(await bot.exitRecord()).toMatchObject({ stateSaved: true, logsSaved: true });
  expect(end.stdout).toContain(await bot.saved('sha256sum big'));
});

test('the supervisor is killed: bot and descendants end within 5 s, the daemon saves once more and ends', async () => {
  for (let i = 0; i < scaled(2); i += 1) {
    const bot = await supervised(
      `setsid sh -c "trap '' TERM; while :; do sleep 0.1; done" & trap '' PIPE; trap 'echo last words > words; exit' TERM; echo up; while :; do sleep 0.05; done`,
    );
    const mark = `BOT_ID=${bot.env.BOT_ID}\0`;
    const run = bot.start();
    await run.prints('up');
    await waitForRole(run.child.pid!, 'daemon');
    await sleep(Math.random() * 500);
    expect(processesWith(mark).length).toBeGreaterThanOrEqual(4);
    run.child.kill('SIGKILL');
    await expect.poll(() => processesWith(mark), { timeout: 15_000 }).toEqual([]);
    expect(await bot.saved('cat words')).toBe('last words\n');
  }
});

test('the supervisor is killed while daemon and query server are starting: both end, and the state is saved', async () => {
  for (let i = 0; i < scaled(3); i += 1) {
    // Without `trap '' PIPE` a shell that tells of its child's end on stderr is ended by that.
    const bot = await supervised(
      "trap '' PIPE; trap 'echo last > words; exit' TERM; echo up; while :; do sleep 0.05; done",
    );
    const run = bot.start({ BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'sleep 60', QUERY_PORT: '0' });
    await run.prints('up');
    await waitForRole(run.child.pid!, 'daemon');
    await sleep(i * 40);
    run.child.kill('SIGKILL');
    await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`), { timeout: 15_000 }).toEqual([]);
    expect(await bot.saved('cat words')).toBe('last\n');
  }
});

test('the supervisor is killed, and the bot ignores SIGTERM: it is gone within 5 s all the same', async () => {
  const bot = await supervised(
    "trap '' TERM; echo up; while :; do date > now.tmp; mv now.tmp now; sleep 0.05; done",
  );
  const run = bot.start();
  await run.prints('up');
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  await sleep(200);
  const bots = processesWith(`BOT_ID=${bot.env.BOT_ID}\0`).filter(
    (pid) => pid !== daemon && pid !== run.child.pid,
  );
  expect(bots.length).toBeGreaterThan(0);
  run.child.kill('SIGKILL');
  const killedAt = Date.now();
  const left = () => bots.filter((pid) => processesWith('BOT_ID=').includes(pid));
  await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  expect(Date.now() - killedAt).toBeLessThan(5000);
  await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`), { timeout: 10_000 }).toEqual([]);
  expect(await bot.saved('cat now')).not.toBe('');
});

/** Two processes that heed no SIGTERM, one of them in a session of its own; `up` and both ids. */
const stubborn =
  "trap '' TERM PIPE; setsid sh -c 'while :; do sleep 0.05; done' & echo up $$ $!; while :; do echo x; sleep 0.05; done";

const living = (pids: readonly number[]) => {
  const table = readProcessTable().filter(({ state }) => state !== 'Z');
  return pids.filter((pid) => table.some((entry) => entry.pid === pid));
};
const pidsIn = (text: string) => /up (\d+) (\d+)/.exec(text)!.slice(1).map(Number);

test.each<[string, (bot: Supervised) => Promise<{ run: StartedRuntime; alsoKilled?: number }>]>([
  ['without a daemon', async (bot) => ({ run: startRuntime(['execute', '--skip-sync'], bot.env) })],
  [
    'when the daemon has just died',
    async (bot) => {
      const run = bot.start();
      return { run, alsoKilled: await waitForRole(run.child.pid!, 'daemon') };
    },
  ],
  [
    'when its guard was killed before',
    async (bot) => {
      const run = startRuntime(['execute', '--skip-sync'], bot.env);
      await run.prints('up');
      const guard = await waitForRole(run.child.pid!, 'guard');
      process.kill(guard, 'SIGKILL');
      await waitForRole(run.child.pid!, 'guard', guard);
      return { run };
    },
  ],
  [
    'with a bot in a directory',
    async (bot) => {
      const dir = await temporaryDirectory();
      const program = JSON.stringify(bot.env.ENTRYPOINT);
      await writeFile(
        join(dir, 'bot.yaml'),
        `name: ${bot.env.BOT_ID}\nruntime: command\nentrypoints:\n  bot: ${program}\n`,
      );
      const run = startRuntime(['execute', dir], { BOT_USER: 'none' });
      return { run, alsoKilled: await waitForRole(run.child.pid!, 'daemon') };
    },
  ],
])('the supervisor is killed %s: the bot is ended all the same', async (_, begin) => {
  const bot = await supervised(stubborn);
  const { run, alsoKilled } = await begin(bot);
  await run.prints('up');
  const bots = pidsIn(run.stdout());
  onTestFinished(() => bots.forEach((pid) => void signalProcess(pid, 'SIGKILL')));
  if (alsoKilled !== undefined) process.kill(alsoKilled, 'SIGKILL');
  run.child.kill('SIGKILL');
  const killedAt = Date.now();
  expect(living(bots)).toEqual(bots);
  await expect.poll(() => living(bots), { timeout: 10_000 }).toEqual([]);
  expect(Date.now() - killedAt).toBeLessThan(5000);
  await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`), { timeout: 15_000 }).toEqual([]);
});

test('a bot has nothing of its guard, and the guard ends with the last of us', async () => {
  const bot = await supervised("ls -l /proc/$$/fd; trap 'exit 0' HUP; echo up; while :; do sleep 0.05; done");
  const run = bot.start();
  await run.prints('up');
  const guard = await waitForRole(run.child.pid!, 'guard');
  run.child.kill('SIGHUP');
  const end = await run.finished;
  expect(end.stdout).toMatch(/ 1 -> pipe:|\(deleted\)/);
  expect(end.stdout).not.toContain('socket:');
  await expect.poll(() => living([guard])).toEqual([]);
});

test.each(['1', '0', '-1', 'x', '1.5'])('%s is not a process group to be ended', async (group) => {
  expect((await runRuntime(['end-groups', '--', group], {})).code).toBe(64);
});

test('everything is killed, and the container starts again on the same directories: its newer state stays', async () => {
  const bot = await supervised(
    'runs=$(cat runs 2>/dev/null || echo 0); echo $((runs + 1)) > runs; echo run $((runs + 1)); [ $runs = 2 ] || exec sleep 60',
  );
  for (const life of [1, 2]) {
    const run = bot.start({ SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
    await run.prints(`run ${life}`);
    await waitForRole(run.child.pid!, 'daemon');
    killTogether(`BOT_ID=${bot.env.BOT_ID}\0`);
    await run.finished;
  }
  // Nothing was ever published: what the third life knows, it has from the disk.
  const third = await bot.start().finished;
  expect(third).toMatchObject({ code: 0, stdout: 'run 3\n' });
  expect(await bot.saved('cat runs')).toBe('3\n');
});

test.each([
  ['removes', 'rm -rf .runtime-sync'],
  ['forges', 'echo nonsense > .runtime-sync'],
  ['replaces', 'rm -rf .runtime-sync; ln -s / .runtime-sync'],
])('the bot %s the marker, then the daemon is killed: saving goes on', async (_, mischief) => {
  const bot = await supervised(
    `trap 'echo 2 > n; echo two' HUP; trap 'exit 0' TERM; echo 1 > n; ${mischief}; echo up; while :; do sleep 0.05; done`,
  );
  const run = bot.start({ SYNC_INTERVAL: '1h', SYNC_ON_CHANGE: '0' });
  await run.prints('up');
  process.kill(await waitForRole(run.child.pid!, 'daemon'), 'SIGKILL');
  run.child.kill('SIGHUP');
  await run.prints('two');
  run.child.kill('SIGTERM');
  const end = await run.finished;
  expect(end, end.stderr).toMatchObject({ code: 0 });
  expect(end.stderr).toContain('died and is started again');
  expect(await bot.saved('cat n')).toBe('2\n');
});

test('the bot removes the marker, and all is killed before the next look: the next start knows its state', async () => {
  const bot = await supervised('echo 1 > n');
  expect((await bot.start().finished).code).toBe(0);
  const script =
    'echo 2 > n; rm -rf .runtime-sync; until [ -e .runtime-sync ]; do sleep 0.05; done; echo back; sleep 60';
  const run = bot.start({
    ENTRYPOINT: `cd "$STATE_PATH" || exit 9; ${script}`,
    SYNC_INTERVAL: '1h',
    SYNC_ON_CHANGE: '0',
  });
  await run.prints('back');
  killTogether(`BOT_ID=${bot.env.BOT_ID}\0`);
  await run.finished;
  expect((await bot.start({ ENTRYPOINT: 'cat "$STATE_PATH/n"' }).finished).stdout).toBe('2\n');
});

test('a debugger is not to be had with a signal', async () => {
  const bot = await supervised("trap 'echo usr1; exit 0' USR1; echo up; while :; do sleep 0.05; done");
  const run = bot.start();
  await run.prints('up');
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  process.kill(daemon, 'SIGUSR1');
  run.child.kill('SIGUSR1');
  const end = await run.finished;
  expect(end).toMatchObject({ code: 0 });
  expect(end.stdout).toContain('usr1');
  expect(end.stderr).not.toMatch(/debugger/i);
});
