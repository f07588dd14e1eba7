import { spawnSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { prune } from '../../src/bot/state/history/prune.ts';
import { newContainer, runRuntime, startRuntime } from '../support/process/executable.ts';
import { killTogether } from '../support/process/killTogether.ts';
import { waitForRole } from '../support/process/waitForRole.ts';
import { scaled } from '../support/scale.ts';
import type { Fault, ProxiedRequest } from '../support/store/faultProxy.ts';
import { type FaultyBot, faultyBot, isState } from '../support/store/faultyStore.ts';
import { minioClient } from '../support/store/minio.ts';
import { openStateStore } from '../support/store/stateStore.ts';

const minio = inject('minio');
/** At the usual scale a part of the steps, another one each time. */
const isWhole = scaled(1) > 1;
const EVERY = isWhole ? 1 : 4;
const timeout = isWhole ? 1_200_000 : 300_000;

const check = 'sha256sum -c --quiet sum || exit 9';
/** A new version of a state too large for the head: two packs' worth of blobs, segments and a manifest. */
const renew =
  'head -c 200000 /dev/urandom > big; head -c 3000 /dev/urandom > small; sha256sum big small > sum; echo $(($(cat version) + 1)) > version';

/** A bot with a snapshot, whose every life checks its state and makes a new one. */
async function botWithSnapshot(): Promise<FaultyBot> {
  const bot = await faultyBot(`${check}; ${renew}; cat version`);
  const entrypoint = `cd "$(dirname "$STATE_DIR")"; echo 0 > version; ${renew}`;
  const begun = await bot.start({ ...(await newContainer()).env, ENTRYPOINT: entrypoint }).finished;
  expect(begun.code, begun.stderr).toBe(0);
  return bot;
}

/** Strikes request number `at` (from 1) of those that `when` names; `fault` is asked for only then. */
function strikeAt(bot: FaultyBot, at: number, fault: Fault, when: (request: ProxiedRequest) => boolean) {
  let count = 0;
  return bot.strike((request) => when(request) && ++count === at, fault);
}

type Kill = (run: () => void) => Fault;

/** Request by request, before the store has heard of it and after it has executed it; until one has not come to pass. */
function* steps(): Generator<{ at: number; kill: Kill; end(): void }> {
  const kills: Kill[] = [(run) => ({ killBefore: run }), (run) => ({ killAfter: run })];
  let ended = false;
  const end = () => {
    ended = true;
  };
  for (let at = isWhole ? 1 : Math.ceil(Math.random() * EVERY); !ended; at += EVERY) {
    for (const kill of isWhole ? kills : [kills[Math.floor(Math.random() * 2)]!]) yield { at, kill, end };
  }
}

const version = (stdout: string) => Number(stdout.trim());

/** What a new container finds: it checks the state, and changes nothing. */
async function found(bot: FaultyBot, env: Record<string, string>): Promise<number> {
  const entrypoint = `cd "$(dirname "$STATE_DIR")"; ${check}; cat version`;
  const end = await bot.start({ ...env, ENTRYPOINT: entrypoint }).finished;
  expect(end.code, end.stderr).toBe(0);
  return version(end.stdout);
}

async function expectSound(bot: FaultyBot): Promise<void> {
  const end = await runRuntime(['state', 'verify', bot.env.BOT_ID!], bot.env);
  expect(end.code, end.stdout + end.stderr).toBe(0);
}

/** Whatever killed lives have left is collected at once, and nothing else. */
async function expectCollectable(bot: FaultyBot): Promise<void> {
  using stores = await openStateStore(minio);
  const context = { store: stores.store, bot: bot.env.BOT_ID!, clock: systemClock, warn: () => {} };
  const options = { safetyAgeMs: -5000, signal: new AbortController().signal };
  await prune(context, options);
  expect(await prune(context, options)).toMatchObject({ deletedObjects: 0, youngObjects: 0 });
  await expectSound(bot);
}

test('everything is killed at any request of a life: the next one has the last snapshot or the new one', {
  timeout,
}, async () => {
  const bot = await botWithSnapshot();
  let published = 1;
  const seen = { old: 0, new: 0 };
  for (const { at, kill, end } of steps()) {
    const before = bot.struck();
    const container = await newContainer();
    const killAll = () => killTogether(`BOT_ID=${bot.env.BOT_ID}\0`);
    const recover = strikeAt(bot, at, kill(killAll), isState);
    const life = await bot.start(container.env).finished;
    recover();
    if (bot.struck() === before) {
      expect(life.code, life.stderr).toBe(0);
      published += 1;
      end();
    } else expect(life.signal).toBe('SIGKILL');
    await expectSound(bot);
    // A container that starts again on the same directories has what the bot had written, if it had run.
    const again = at % 2 === 0 ? container.env : (await newContainer()).env;
    const next = await found(bot, again);
    expect([published, published + 1]).toContain(next);
    seen[next === published ? 'old' : 'new'] += 1;
    published = next;
    expect(await found(bot, (await newContainer()).env)).toBe(published);
  }
  if (isWhole) expect(Math.min(seen.old, seen.new)).toBeGreaterThan(1);
  await expectCollectable(bot);
});

test('the daemon is killed at any request: another one saves everything', { timeout }, async () => {
  const bot = await botWithSnapshot();
  let published = 1;
  for (const { at, kill, end } of steps()) {
    const before = bot.struck();
    // It ends when it is told to: by then there is a daemon, and all that is still asked is asked by it.
    const run = bot.start({
      ...(await newContainer()).env,
      SYNC_INTERVAL: '1h',
      SYNC_ON_CHANGE: '0',
      ENTRYPOINT: `trap 'exit 0' HUP; ${bot.env.ENTRYPOINT}; while :; do sleep 0.05; done`,
    });
    await run.prints('\n');
    const daemon = await waitForRole(run.child.pid!, 'daemon');
    const killDaemon = () => void process.kill(daemon, 'SIGKILL');
    const recover = strikeAt(bot, at, kill(killDaemon), isState);
    run.child.kill('SIGHUP');
    const life = await run.finished;
    recover();
    expect(life.code, life.stderr).toBe(0);
    if (bot.struck() === before) end();
    else expect(life.stderr).toContain('died and is started again');
    published += 1;
    expect(version(life.stdout)).toBe(published);
    expect(await found(bot, (await newContainer()).env)).toBe(published);
    await expectSound(bot);
  }
  // Of what takes a daemon from its pack to its head.
  expect(bot.struck()).toBeGreaterThan(0);
  await expectCollectable(bot);
});

test('the store is gone from any request on: the life ends, and the next one has the last snapshot or the new one', {
  timeout,
}, async () => {
  const bot = await botWithSnapshot();
  let published = 1;
  let refused = 0;
  for (const { at, kill, end } of steps()) {
    const before = bot.struck();
    const container = await newContainer();
    let count = 0;
    const cut = kill(() => undefined);
    const recover = bot.strike((request) => isState(request) && ++count >= at, cut, 1_000_000);
    const life = await bot.start({ ...container.env, START_TIMEOUT: '300ms' }).finished;
    recover();
    if (bot.struck() === before) end();
    // Not started, not saved, or all was over by then.
    expect([69, 74, 0], life.stderr).toContain(life.code);
    if (life.code === 69) {
      refused += 1;
      expect(life.stdout).toBe('');
    }
    await expectSound(bot);
    const next = await found(bot, at % 2 === 0 ? container.env : (await newContainer()).env);
    expect(life.code === 0 ? [published + 1] : [published, published + 1]).toContain(next);
    published = next;
  }
  expect(refused).toBeGreaterThan(0);
  await expectCollectable(bot);
});

test('an init container is killed at any request: the next one, on the same volume, has everything', {
  timeout,
}, async () => {
  const bot = await botWithSnapshot();
  for (const { at, kill, end } of steps()) {
    const before = bot.struck();
    const { env: paths } = await newContainer();
    const env = { ...bot.env, ...paths, MINIO_ENDPOINT: `127.0.0.1:${bot.proxy.port}` };
    const init = startRuntime(['daemon', 'init'], env);
    const recover = strikeAt(
      bot,
      at,
      kill(() => void init.child.kill('SIGKILL')),
      isState,
    );
    const life = await init.finished;
    recover();
    if (bot.struck() === before) {
      expect(life.code, life.stderr).toBe(0);
      end();
    } else expect(life.signal).toBe('SIGKILL');
    expect((await runRuntime(['daemon', 'init'], env)).code).toBe(0);
    const state = spawnSync('/bin/sh', ['-c', `${check}; cat version`], { cwd: paths.STATE_PATH! });
    expect(String(state.stdout)).toBe('1\n');
    await expectSound(bot);
  }
});

test('pruning is killed at any request: what is kept stays whole, and the next one collects the rest', {
  timeout,
}, async () => {
  const bot = await botWithSnapshot();
  const objects = async () => {
    const names: string[] = [];
    const client = minioClient(minio);
    for await (const { name } of client.listObjectsV2('bot-state', `${bot.env.BOT_ID}/`, true))
      names.push(name);
    return names;
  };
  const env = { ...bot.env, MINIO_ENDPOINT: `127.0.0.1:${bot.proxy.port}` };
  for (const { at, kill, end } of steps()) {
    // Each leaves a manifest and packs that nobody needs any more.
    for (let i = 0; i < 2; i += 1) {
      const life = await bot.start({ ...(await newContainer()).env, STATE_KEEP: '1' }).finished;
      expect(life.code, life.stderr).toBe(0);
    }
    let child: ReturnType<typeof startRuntime>['child'] | undefined;
    const recover = strikeAt(
      bot,
      at,
      kill(() => void child?.kill('SIGKILL')),
      isPruning,
    );
    const late = bot.strike(isPruning, { clockAheadMs: 48 * 60 * 60 * 1000 }, 1_000_000);
    const pruning = startRuntime(['state', 'prune', bot.env.BOT_ID!], env);
    child = pruning.child;
    const ended = await pruning.finished;
    recover();
    await expectSound(bot);
    if (ended.signal === null) {
      expect(ended.stdout).toMatch(/^[1-9]\d* objects deleted/);
      end();
    }
    const last = await runRuntime(['state', 'prune', bot.env.BOT_ID!], env);
    late();
    expect(last.stdout, last.stderr).toMatch(/ 0 too young/);
    // The head, one manifest, and the packs that it names.
    expect((await objects()).filter((name) => name.includes('/manifests/'))).toHaveLength(1);
    await expectSound(bot);
  }
});

/** Pruning asks the bucket itself for the time. */
const isPruning = ({ path }: ProxiedRequest) => !path.startsWith('/bot-logs/') && !path.startsWith('/code-');
