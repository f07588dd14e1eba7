import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readProcessTable } from '../../../src/base/process/processTree.ts';
import { signalProcess } from '../../../src/base/process/signalProcess.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import type { StartedRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';
import { processesWith } from '../../support/process/roleOf.ts';
import { supervised } from '../../support/process/supervised.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';
import { scaled } from '../../support/scale.ts';

/** Listens, and answers with its process id. */
const listening = `exec "$NODE" -e '
const answer = JSON.stringify({ status: "ok", data: process.pid });
require("node:http").createServer((_, to) => to.end(answer)).listen(process.env.THE0_QUERY_PORT, "127.0.0.1")'`;

/** Exits without having listened; then, run for a query, says who it is in its state and heeds no SIGTERM. */
const perQuery = `[ -n "$QUERY_PATH" ] || exit 0; trap '' TERM; echo $$ > "$PID_FILE"; while :; do sleep 0.05; done`;

async function realtimeBot(queryEntrypoint: string) {
  const bot = await supervised("trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done");
  const port = await freePort();
  // Beside the bot's directories: Landlock may keep the program from making anything in those.
  const pidFile = join(await temporaryDirectory(), 'pid');
  const run = bot.start({
    BOT_TYPE: 'realtime',
    QUERY_ENTRYPOINT: queryEntrypoint,
    QUERY_PORT: String(port),
    NODE: process.execPath,
    PID_FILE: pidFile,
  });
  await run.prints('up');
  const ask = async (): Promise<number | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${port}/pid`, { signal: AbortSignal.timeout(20_000) }).catch(
      () => undefined,
    );
    if (answer?.status !== 200) return undefined;
    return ((await answer.json()) as { data: number }).data;
  };
  return { bot, run, ask, pidFile };
}

const isLiving = (wanted: number) =>
  readProcessTable().some(({ pid, state }) => pid === wanted && state !== 'Z');

test('the query server is killed again and again: its program is replaced, the port answers, and the bot goes on', async () => {
  const { bot, run, ask } = await realtimeBot(listening);
  const within = { timeout: 20_000, interval: 20 };
  let server: number | undefined;
  let program: number | undefined;
  for (let i = 0; i < scaled(4); i += 1) {
    server = await waitForRole(run.child.pid!, 'query', server);
    const before = program;
    await expect
      .poll(async () => {
        program = await ask();
        return program !== undefined && program !== before;
      }, within)
      .toBe(true);
    if (before !== undefined) expect(isLiving(before)).toBe(false);
    await sleep(Math.random() * 300);
    process.kill(server, 'SIGKILL');
  }
  await expect.poll(ask, within).toSatisfy((pid) => pid !== undefined && pid !== program);
  const last = (await ask())!;
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 0 });
  await expect.poll(() => isLiving(last)).toBe(false);
  expect(await bot.exitRecord()).toMatchObject({ source: 'bot', code: 0, stateSaved: true });
});

const victims = {
  'its server': async (run: StartedRuntime) => [await waitForRole(run.child.pid!, 'query')],
  'the supervisor': async (run: StartedRuntime) => [run.child.pid!],
  both: async (run: StartedRuntime) => [await waitForRole(run.child.pid!, 'query'), run.child.pid!],
};

test.each<{ how: string; program: string; who: keyof typeof victims }>([
  { how: 'that listens', program: listening, who: 'the supervisor' },
  { how: 'that listens', program: listening, who: 'both' },
  { how: 'that is run per query', program: perQuery, who: 'its server' },
  { how: 'that is run per query', program: perQuery, who: 'the supervisor' },
  { how: 'that is run per query', program: perQuery, who: 'both' },
])('a query program $how is ended when someone is killed: $who', async ({ program, who }) => {
  const { bot, run, ask, pidFile } = await realtimeBot(program);
  const asking = async () => {
    const asked = ask();
    return program === listening
      ? await asked
      : Number(await readFile(pidFile, 'utf8').catch(() => '')) || undefined;
  };
  let pid: number | undefined;
  await expect
    .poll(
      async () => {
        pid = await asking();
        return pid;
      },
      { timeout: 20_000 },
    )
    .toBeDefined();
  onTestFinished(() => void signalProcess(-pid!, 'SIGKILL'));
  const doomed = await victims[who](run);
  expect(isLiving(pid!)).toBe(true);
  for (const victim of doomed) process.kill(victim, 'SIGKILL');
  const killedAt = Date.now();
  await expect.poll(() => isLiving(pid!), { timeout: 10_000 }).toBe(false);
  expect(Date.now() - killedAt).toBeLessThan(5000);
  run.child.kill('SIGKILL');
  await expect.poll(() => processesWith(`BOT_ID=${bot.env.BOT_ID}\0`), { timeout: 15_000 }).toEqual([]);
});

test('the program of an ephemeral query is ended when that is killed', async () => {
  const bot = await supervised('true');
  const pidFile = join(await temporaryDirectory(), 'pid');
  const run = bot.start({ QUERY_PATH: '/pid', QUERY_ENTRYPOINT: perQuery, PID_FILE: pidFile });
  const readPid = async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) || undefined;
  await expect.poll(readPid, { timeout: 20_000 }).toBeDefined();
  const pid = (await readPid())!;
  onTestFinished(() => void signalProcess(-pid, 'SIGKILL'));
  // The guard is told of a program in the turn in which that is started: over once nothing is left to do.
  const sleeps = () => readProcessTable().find((entry) => entry.pid === run.child.pid)?.state === 'S';
  await expect.poll(sleeps, { interval: 10 }).toBe(true);
  run.child.kill('SIGKILL');
  await expect.poll(() => isLiving(pid), { timeout: 10_000 }).toBe(false);
});
