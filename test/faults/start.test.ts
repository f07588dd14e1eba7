import { expect, test } from 'vitest';
import { newContainer } from '../support/process/executable.ts';
import { pairs } from '../support/scale.ts';
import type { Fault, ProxiedRequest } from '../support/store/faultProxy.ts';
import {
  both,
  faultyBot,
  isCode,
  isGet,
  isHead,
  isManifest,
  isPack,
  isPut,
  passing,
} from '../support/store/faultyStore.ts';

/** A state too large for the head, so that packs have to be read. */
const fill = 'head -c 200000 /dev/urandom > big; sha256sum big; ';
const look = 'sha256sum big; echo runs >> runs; wc -l < runs';

async function botWithState() {
  const bot = await faultyBot(look);
  const first = await bot.start({ ENTRYPOINT: `cd "$(dirname "$STATE_DIR")"; ${fill}` }).finished;
  expect(first.code, first.stderr).toBe(0);
  // As in a new container: everything has to come from the store.
  const start = async (extra: Record<string, string> = {}) => {
    const { env, exitRecord } = await newContainer();
    return { run: bot.start({ ...env, ...extra }), exitRecord };
  };
  return { bot, expected: first.stdout, start };
}

const places: [string, (request: ProxiedRequest) => boolean][] = [
  ['reading the head', both(isHead, isGet)],
  ['taking the generation', both(isHead, isPut)],
  ['reading a pack', both(isPack, isGet)],
  ['reading the code', both(isCode, isGet)],
];

test.each(pairs(places, passing))(
  '%s meets %s: the start waits and has everything',
  async (_place, _name, when, fault) => {
    const { bot, expected, start } = await botWithState();
    bot.strike(when, fault, 2);
    const { run } = await start();
    const end = await run.finished;
    expect(bot.struck()).toBeGreaterThan(0);
    expect(end.code, end.stderr).toBe(0);
    expect(end.stdout).toBe(`${expected}1\n`);
  },
);

test.each<[string, string, (request: ProxiedRequest) => boolean, Fault, number]>([
  ['403', 'reading the head', isHead, { status: 403, code: 'AccessDenied' }, 69],
  ['403', 'reading the code', isCode, { status: 403, code: 'AccessDenied' }, 69],
  ['403', 'reading a pack', both(isPack, isGet), { status: 403, code: 'AccessDenied' }, 69],
  ['500 for good', 'reading the head', isHead, { status: 500, code: 'InternalError' }, 69],
  ['503 for good', 'reading a pack', both(isPack, isGet), { status: 503, code: 'SlowDown' }, 69],
  ['a corrupt body', 'reading the head', both(isHead, isGet), { corruptResponse: true }, 65],
  ['a corrupt body', 'reading a pack', both(isPack, isGet), { corruptResponse: true }, 65],
  ['a corrupt body', 'reading the code', both(isCode, isGet), { corruptResponse: true }, 65],
])('%s while %s: no start, and what is saved stays', async (_name, _place, when, fault, code) => {
  const { bot, expected, start } = await botWithState();
  const recover = bot.strike(when, fault, 1_000_000);
  // So long that a busy store has answered by then.
  const failed = await start({ START_TIMEOUT: '5s' });
  const end = await failed.run.finished;
  expect(bot.struck()).toBeGreaterThan(0);
  expect(end).toMatchObject({ code, stdout: '' });
  expect(await failed.exitRecord()).toMatchObject({ source: 'runtime', code: null, exit: code });
  recover();
  const { run } = await start();
  expect((await run.finished).stdout).toBe(`${expected}1\n`);
});

test.each<[string, string, (request: ProxiedRequest) => boolean, Fault]>([
  ['the head', 'a corrupt body', both(isHead, isGet), { corruptResponse: true }],
  ['the head', 'that it is not there', both(isHead, isGet), { status: 404, code: 'NoSuchKey' }],
  ['a manifest', 'a corrupt body', both(isManifest, isGet), { corruptResponse: true }],
  ['a pack', 'that it is not there', both(isPack, isGet), { status: 404, code: 'NoSuchKey' }],
  ['a pack', 'another object', both(isPack, isGet), { whole: Buffer.alloc(1_000_000) }],
  ['the code', 'a corrupt body', both(isCode, isGet), { corruptResponse: true }],
  ['the code', 'that it is not there', both(isCode, isGet), { status: 404, code: 'NoSuchKey' }],
])(
  'one wrong answer for %s, %s: the start goes on with all that is saved',
  async (_place, _name, when, fault) => {
    const { bot, expected, start } = await botWithState();
    const second = (await start()).run;
    expect((await second.finished).stdout).toBe(`${expected}1\n`);
    bot.strike(when, fault);
    const { run } = await start();
    const end = await run.finished;
    expect(bot.struck()).toBe(1);
    expect(end).toMatchObject({ code: 0, stdout: `${expected}2\n` });
    expect(end.stderr).toMatch(/rightly when it was asked again/);
  },
);

test('a store that takes requests and says nothing: the start waits, and a stop ends it', async () => {
  const { bot, start } = await botWithState();
  bot.strike(both(isPack, isGet), { hang: true }, 1000);
  const { run, exitRecord } = await start();
  await expect.poll(bot.struck, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(run.child.exitCode).toBe(null);
  run.child.kill('SIGTERM');
  expect(await run.finished).toMatchObject({ code: 143, stdout: '' });
  expect(await exitRecord()).toMatchObject({ source: 'runtime', exit: 143 });
});
