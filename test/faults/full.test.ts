import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { containerBots } from '../support/container/containerBots.ts';
import { canMount, mountTmpfs } from '../support/container/mountTmpfs.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { keptLines } from '../support/process/captureChild.ts';
import { newContainer, type StartedRuntime, startRuntime } from '../support/process/executable.ts';
import { freePort } from '../support/process/freePort.ts';
import { supervised } from '../support/process/supervised.ts';
import type { Fault } from '../support/store/faultProxy.ts';
import { both, faultyBot, isPut, isState } from '../support/store/faultyStore.ts';
import { startMinio } from '../support/store/minio.ts';
import { readSaved } from '../support/store/readSaved.ts';
import { shipped } from '../support/store/shipped.ts';

const MiB = 1024 * 1024;
/** Counts on SIGHUP; 200 kB go with each number. */
const writer = `
new() { i=$((i+1)); head -c 200000 /dev/urandom > big; sha256sum big > sum; echo $i > version; echo written $i; }
trap new HUP; trap 'exit 0' TERM; i=0; new; while :; do sleep 0.05; done`;

/** Looks often, gives up soon, and tells on a port. */
async function watchedVariables() {
  const port = await freePort();
  const env = {
    SYNC_INTERVAL: '200ms',
    SYNC_ON_CHANGE: '0',
    START_TIMEOUT: '500ms',
    BOT_TYPE: 'realtime',
    QUERY_ENTRYPOINT: 'exec sleep 1000',
    QUERY_PORT: String(port),
  };
  const page = (path: string) =>
    fetch(`http://127.0.0.1:${port}/_runtime/${path}`, { signal: AbortSignal.timeout(20_000) });
  return {
    env,
    failures: async () => {
      const text = await page('metrics').then(
        (answer) => answer.text(),
        () => '',
      );
      return Number(/^runtime_sync_failures_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
    },
    /** Data of the first event of this type. */
    event: async (type: string) => {
      const { body } = await page('events');
      let seen = '';
      for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
        seen += piece;
        const data = new RegExp(`^event: ${type}\ndata: (.*)\n\n`, 'm').exec(seen)?.[1];
        if (data !== undefined) return JSON.parse(data).data as Record<string, unknown>;
      }
      throw new Error(`no ${type}: ${seen}`);
    },
  };
}

type Watched = Awaited<ReturnType<typeof watchedVariables>>;

/** The bot goes on while it cannot be saved, an event and a metric say so, and then it is saved without being asked to. */
async function expectRecovery(
  run: StartedRuntime,
  watched: Watched,
  saved: () => Promise<string>,
  recover: () => void,
): Promise<void> {
  run.child.kill('SIGHUP');
  await run.prints('written 2');
  await expect.poll(watched.failures, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(await watched.event('error')).toMatchObject({ message: expect.stringContaining('bot-state') });
  expect(await saved()).toBe('1\n');
  run.child.kill('SIGHUP');
  await run.prints('written 3');
  recover();
  await expect.poll(saved, { timeout: 40_000 }).toBe('3\n');
  const failures = await watched.failures();
  await expect.poll(async () => (await watched.event('snapshot.published')).generation).toBe(1);
  expect(await watched.failures()).toBe(failures);
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(0);
}

test.each<[string, Fault]>([
  ['full', { status: 507, code: 'XMinioStorageFull' }],
  ['read only', { status: 403, code: 'AccessDenied' }],
])('a store that is %s for a while', async (_, fault) => {
  const bot = await faultyBot(writer);
  const watched = await watchedVariables();
  const run = bot.start(watched.env);
  await run.prints('written 1');
  const saved = () => readSaved(inject('minio'), bot.env.BOT_ID!, 'version');
  await expect.poll(saved, { timeout: 20_000 }).toBe('1\n');
  const recover = bot.strike(both(isState, isPut), fault, 1_000_000);
  await expectRecovery(run, watched, saved, recover);
});

test.runIf(canMount)('a store whose disk is really full', async () => {
  const dir = join(await temporaryDirectory(), 'disk');
  using _ = mountTmpfs(dir, 64 * MiB);
  const minio = await startMinio({ dir: join(dir, 'data'), quiet: true });
  try {
    const bots = await containerBots(minio);
    const entrypoint = `cd "$(dirname "$STATE_DIR")"; ${writer}`;
    const env = await bots.deploy({ kind: 'command', entrypoint, files: { none: '' } });
    const watched = await watchedVariables();
    const run = startRuntime(['execute'], { ...env, ...(await newContainer()).env, ...watched.env });
    await run.prints('written 1');
    const saved = () => readSaved(minio, env.BOT_ID, 'version');
    await expect.poll(saved, { timeout: 20_000 }).toBe('1\n');
    const filler = join(dir, 'filler');
    fillUp(filler);
    await expectRecovery(run, watched, saved, () => rmSync(filler));
  } finally {
    await minio.kill();
  }
});

/** To the last block. */
function fillUp(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(64 * 1024, 1), { flag: 'a' });
  } catch (error) {
    expect((error as { code?: unknown }).code).toBe('ENOSPC');
  }
}

test.runIf(canMount)(
  'a disk too small for what the bot prints last: 74 instead of a log without its end',
  async () => {
    const bot = await supervised('head -c 3000000 /dev/zero | tr "\\0" z; echo');
    const { root, env, exitRecord } = await newContainer();
    using disk = mountTmpfs(join(root, 'the0/logs'), MiB);
    // Not even a short end fits, and nothing later that could tell what is missing. The record lies beside the logs.
    fillUp(join(root, 'the0/logs/filler'));
    const end = await bot.start(env).finished;
    expect(end.code, end.stderr.slice(-500)).toBe(74);
    expect(end.stderr).toContain('the last lines are missing');
    expect(end.stdout.length).toBe(3_000_001);
    expect(await exitRecord()).toMatchObject({ code: 0, exit: 74, logsSaved: false, stateSaved: true });
    // Negative control.
    disk.resize(16 * MiB);
    expect((await bot.start(env).finished).code).toBe(0);
  },
);

test.runIf(canMount)(
  'a disk that is full for a while: 74 for a log with a gap, which says how many lines it lacks',
  async () => {
    // Each SIGUSR1 is one step.
    const bot = await supervised(
      'n=0; trap "n=\\$((n+1))" USR1; step() { until [ "$n" -ge "$1" ]; do sleep 0.05; done; }; ' +
        'echo begins; step 1; seq 100000 199999; echo middle; step 2; echo ends',
    );
    const { root, env, exitRecord } = await newContainer();
    using _ = mountTmpfs(join(root, 'the0/logs'), 2 * MiB);
    const run = bot.start(env);
    await run.prints('begins');
    // Shown is not yet kept.
    await expect.poll(() => keptLines(join(root, 'the0/logs'))).toMatchObject([{ message: 'begins' }]);
    const filler = join(root, 'the0/logs/filler');
    fillUp(filler);
    run.child.kill('SIGUSR1');
    await run.prints('middle');
    rmSync(filler);
    run.child.kill('SIGUSR1');
    const end = await run.finished;
    expect(end.code, end.stderr.slice(-500)).toBe(74);
    expect(end.stderr).toMatch(/the disk of \S+ was full, and \d+ lines are missing where the log says so/);
    expect(await exitRecord()).toMatchObject({ code: 0, exit: 74, logsSaved: false, stateSaved: true });
    const messages = (await shipped(bot.env.BOT_ID!)).map(({ message }) => message);
    // Beside what the shell says of its `sleep`, which the signal ends.
    expect(messages).toEqual(expect.arrayContaining(['begins', 'ends']));
    expect(messages.join('\n')).toContain('earlier lines are missing here');
  },
);

test.runIf(canMount)('a disk too small for the state: no start, and with room all is there', async () => {
  const bot = await supervised('sha256sum big');
  const make = 'cd "$(dirname "$STATE_DIR")"; head -c 3000000 /dev/urandom > big; sha256sum big';
  const first = await bot.start({ ENTRYPOINT: make }).finished;
  expect(first.code, first.stderr).toBe(0);
  const { root, env, exitRecord } = await newContainer();
  using disk = mountTmpfs(join(root, 'state'), MiB);
  const refused = await bot.start(env).finished;
  expect(refused).toMatchObject({ code: 69, stdout: '' });
  expect(refused.stderr).toMatch(/cannot be written.*ENOSPC(.|\n)*disk is full/);
  expect(await exitRecord()).toMatchObject({ source: 'runtime', code: null, exit: 69 });
  disk.resize(8 * MiB);
  expect(await bot.start(env).finished).toMatchObject({ code: 0, stdout: first.stdout });
});
