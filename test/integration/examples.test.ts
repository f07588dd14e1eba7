import { cp, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { builtExample } from '../support/process/builtExample.ts';
import { runRuntime, type StartedRuntime, startRuntime } from '../support/process/executable.ts';
import { freePort } from '../support/process/freePort.ts';
import { processesWith } from '../support/process/roleOf.ts';

// A compiler that is installed first takes its time.
vi.setConfig({ testTimeout: 300_000 });
const patience = { timeout: 60_000 };
const examples = join(import.meta.dirname, '../../examples');

/** Its own folder, as `cp -r` would make it. */
async function copied(example: string): Promise<string> {
  const folder = join(await temporaryDirectory(), example);
  await cp(join(examples, example), folder, { recursive: true });
  return folder;
}

interface Running extends StartedRuntime {
  /** The data of an answer; waits until there is one that is ok. */
  ask(query: string): Promise<Record<string, unknown>>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

async function started(folder: string, config?: unknown): Promise<Running> {
  const port = String(await freePort());
  const env = { QUERY_PORT: port, ...(config === undefined ? {} : { BOT_CONFIG: JSON.stringify(config) }) };
  const runtime = startRuntime(['execute', folder], env);
  return {
    ...runtime,
    ask: async (query) => {
      for (;;) {
        const response = await fetch(`http://127.0.0.1:${port}${query}`).catch(() => undefined);
        const answer = (await response?.json()) as
          | { status: string; data: Record<string, unknown> }
          | undefined;
        if (answer?.status === 'ok') return answer.data;
        await sleep(50);
      }
    },
    stop: async () => {
      runtime.child.kill('SIGTERM');
      return (await runtime.finished).code;
    },
  };
}

/** Asks the bot of a folder that does not run: the answer's data. */
async function askSaved(folder: string, query: string): Promise<unknown> {
  const { code, stdout, stderr } = await runRuntime(['execute', folder, '--query', query], {});
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout).data;
}

test('price-watcher raises alerts, answers, and repeats none after a restart', async () => {
  const folder = await copied('price-watcher');
  // One of these holds at once, and for as long as a walk of such small steps can last here.
  const alerts = [
    { symbol: 'BTC/USD', above: 1 },
    { symbol: 'ETH/USD', below: 1 },
  ];
  const bot = await started(folder, { seconds: 0.05, alerts });
  await bot.prints('ALERT BTC/USD is ');
  // It says so before it keeps it.
  await expect
    .poll(() => bot.ask('/status'), patience)
    .toMatchObject({ alerts: 1, beyond: ['BTC/USD above 1'] });
  expect(await bot.ask('/alerts?symbol=ETH/USD')).toEqual([]);
  expect(await bot.ask('/alerts?symbol=BTC/USD')).toMatchObject([{ side: 'above', limit: 1 }]);
  const before = await bot.ask('/status');
  expect(await bot.stop()).toBe(143);

  const again = await started(folder, { seconds: 0.05, alerts });
  await again.prints('watches 2 limits; 1 alerts so far');
  await expect.poll(async () => (await again.ask('/status')).prices, patience).not.toEqual(before.prices);
  expect(await again.stop()).toBe(143);
  expect(again.stdout()).not.toContain('ALERT');
});

test('nightly-report reports on each day once, and makes up for nights without a run', async () => {
  const folder = await copied('nightly-report');
  const day = (ago: number) => new Date(Date.now() - ago * 24 * 3600_000).toISOString().slice(0, 10);
  const first = await runRuntime(['execute', folder], {});
  expect(first.stdout).toMatch(
    /^\d{4}-\d\d-\d\d: \d+ trades, profit -?\d+\.\d\d\nnightly-report: reported on 1 days\n$/,
  );
  expect((await runRuntime(['execute', folder], {})).stdout).toBe('nightly-report: nothing to report\n');

  // As if the last run had been three nights ago.
  const reports = join(folder, '.runtime/state/.the0-state/reports');
  const [report = ''] = await readdir(reports);
  await rename(join(reports, report), join(reports, `${day(4)}.json`));
  const late = await runRuntime(['execute', folder], {});
  expect(late.stdout).toContain('reported on 3 days');
  expect(await askSaved(folder, '/days')).toEqual([day(4), day(3), day(2), day(1)]);
  expect(await askSaved(folder, '/report')).toMatchObject({ day: day(1), trades: expect.any(Number) });
});

test('sqlite-ledger loses no transfer to kill -9, of the bot or of everything', async () => {
  const folder = await copied('sqlite-ledger');
  const config = { seconds: 0, accounts: ['cash', 'fees', 'positions'] };
  let committed = 0;
  for (const victim of ['bot', 'bot', 'everything']) {
    const bot = await started(folder, config);
    const from = `goes on after transfer `;
    await bot.prints(from);
    await expect.poll(() => lastTransfer(bot.stdout()), patience).toBeGreaterThan(committed + 20);
    if (victim === 'everything') bot.child.kill('SIGKILL');
    for (const pid of processesWith(`${folder}/.runtime/state`)) {
      if (victim === 'everything' || pid !== bot.child.pid) kill(pid);
    }
    const { code, signal } = await bot.finished;
    expect([code, signal]).toEqual(victim === 'everything' ? [null, 'SIGKILL'] : [137, null]);
    // A line is printed after its transfer is committed.
    expect(Number(bot.stdout().split(from)[1]?.split('\n')[0])).toBeGreaterThanOrEqual(committed);
    committed = lastTransfer(bot.stdout());
  }

  const last = await started(folder, { ...config, seconds: 0.05 });
  const check = await last.ask('/check');
  expect(check).toMatchObject({ broken: 0, sum: 0, integrity: 'ok' });
  expect(check.last).toBeGreaterThanOrEqual(committed);
  expect(check.transfers).toBe(check.last);
  expect(await last.stop()).toBe(143);
  const balances = (await askSaved(folder, '/balances')) as Record<string, number>;
  expect(Object.values(balances).reduce((sum, cents) => sum + cents, 0)).toBe(0);
  expect(Object.keys(balances)).toEqual(config.accounts);
});

test('queue-worker does every job once, whatever ends it, and the failed ones again', async () => {
  const folder = await copied('queue-worker');
  const config = { milliseconds: 5, attempts: 3 };
  const killed = await started(folder, config);
  await killed.prints('job 12 done');
  for (const pid of processesWith(`${folder}/.runtime/state`)) if (pid !== killed.child.pid) kill(pid);
  expect((await killed.finished).code).toBe(137);

  const bot = await started(folder, config);
  await expect.poll(async () => (await bot.ask('/status')).done, patience).toBeGreaterThan(24);
  expect(await bot.ask('/job?id=5')).toMatchObject({
    id: 5,
    attempts: 2,
    result: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(await bot.stop()).toBe(143);
  expect(bot.stdout()).toMatch(/stopped: \d+ jobs wait, \d+ are done\n$/);

  const done = [...(killed.stdout() + bot.stdout()).matchAll(/^job (\d+) done$/gm)].map(([, id]) =>
    Number(id),
  );
  expect(new Set(done).size).toBe(done.length);
  expect(killed.stdout()).toContain('job 5 failed: simulated failure');
  expect(await askSaved(folder, '/status')).toMatchObject({ failed: 0 });
});

test('grid-trader, built as its build says, goes on with its position', async () => {
  const folder = await builtExample('grid-trader', 'rust');
  const bot = await started(folder);
  await bot.prints('goes on at 100.00 with 0 units and 0 fills');
  await expect.poll(async () => (await bot.ask('/status')).fills, patience).toBeGreaterThan(1);
  expect(await bot.ask('/position')).toMatchObject({ profit: expect.stringMatching(/^-?\d+\.\d\d$/) });
  expect(await bot.stop()).toBe(143);
  const saved = (await askSaved(folder, '/status')) as Record<string, number>;

  const again = await started(folder);
  await again.prints(` with ${saved.units} units and ${saved.fills} fills`);
  expect(await again.stop()).toBe(143);
});

test('examples/README.md lists every example', async () => {
  const folders = (await readdir(examples, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const table = await readFile(join(examples, 'README.md'), 'utf8');
  const listed = [...table.matchAll(/^\| `(\S+)`/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
});

/** The last one of which all was printed. */
function lastTransfer(stdout: string): number {
  return Number([...stdout.matchAll(/^transfer (\d+): .*\n/gm)].at(-1)?.[1] ?? 0);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone with the others.
  }
}
