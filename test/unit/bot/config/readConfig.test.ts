import { expect, test } from 'vitest';
import type { Role } from '../../../../src/bot/config/readConfig.ts';
import { least, problemsOf, read } from './sources.ts';

test('the defaults are those of the contract', async () => {
  expect(await read(least)).toMatchObject({
    botId: 'bot',
    kind: 'python3.11',
    entrypoint: 'main.py',
    queryEntrypoint: undefined,
    botType: 'scheduled',
    botConfig: '{}',
    task: { name: 'bot', inputs: [], outputs: [] },
    code: { file: undefined, sha256: undefined, cache: undefined, maxBytes: 2048 * 2 ** 20 },
    paths: {
      code: '/bot',
      state: '/state',
      stateDir: '/state/.the0-state',
      logs: '/var/the0/logs',
      exitFile: '/var/the0/exit.json',
      doneFile: '/var/the0/done',
      kinds: '/etc/runtime/kinds.d',
    },
    buckets: { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', results: 'query-results' },
    sync: {
      intervalMs: 60_000,
      onChangeMs: 2000,
      keep: 10,
      freeze: 'auto',
      exportTarGz: false,
      maxBytes: 8192 * 2 ** 20,
      maxFileBytes: undefined,
    },
    query: { path: undefined, params: {}, port: 9476, timeoutMs: 30_000, concurrency: 64, token: undefined },
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
    user: { uid: 1000, gid: 1000 },
    allowExperimental: false,
    log: { level: 'info', format: 'json' },
  });
});

test('every problem is reported at once, one line each, with variable and value', async () => {
  const problems = await problemsOf({
    ...least,
    BOT_ID: 'a/b',
    BOT_TYPE: 'hourly',
    SYNC_INTERVAL: '5',
    STATE_FREEZE: 'on',
    STATE_EXPORT: 'zip',
    QUERY_PORT: '70000',
    MAX_CODE_SIZE_MB: '-1',
    CODE_SHA256: 'abc',
    CODE_PATH: 'bot',
    ENTRYPOINT: '../main.py',
    MINIO_CODE_BUCKET: '../b',
    ALLOW_EXPERIMENTAL: 'maybe',
    LOG_LEVEL: 'loud',
  });
  expect(problems).toHaveLength(13);
  expect(problems.every((line) => !line.includes('\n') && line.includes('expected'))).toBe(true);
  expect(problems).toContain(
    'SYNC_INTERVAL="5" is not valid, expected a duration such as 500ms, 2s, 5m or 1h',
  );
});

test.each(['.', '..', 'a b', 'ü', 'x'.repeat(129)])('BOT_ID %j is refused', async (BOT_ID) => {
  expect(await problemsOf({ ...least, BOT_ID })).toHaveLength(1);
});

test.each(['a', '...', 'A.b_c-9', 'x'.repeat(128)])('BOT_ID %j is accepted', async (BOT_ID) => {
  expect((await read({ ...least, BOT_ID })).botId).toBe(BOT_ID);
});

test('an empty variable counts as unset', async () => {
  const config = await read({ ...least, SYNC_INTERVAL: '', QUERY_PATH: '', BOT_CONFIG: '' });
  expect(config).toMatchObject({ sync: { intervalMs: 60_000 }, query: { path: undefined }, botConfig: '{}' });
  expect(await problemsOf({ ...least, BOT_ID: '' })).toHaveLength(1);
});

test('an alias is resolved, an unknown kind lists the known ones with a suggestion', async () => {
  expect((await read({ ...least, RUNTIME: 'cpp-gcc13' })).kind).toBe('gcc13');
  expect(await problemsOf({ ...least, RUNTIME: 'python3.12' })).toEqual([
    'RUNTIME="python3.12" is not a known kind; did you mean python3.11? known: python3.11, gcc13, cpp-gcc13, command',
  ]);
});

test('an entrypoint is a path inside the code path, except for kinds where it is a text', async () => {
  expect((await read({ ...least, ENTRYPOINT: './a/../main.py' })).entrypoint).toBe('main.py');
  for (const ENTRYPOINT of ['/bot/main.py', '../x', 'a/../../x', '.']) {
    expect(await problemsOf({ ...least, ENTRYPOINT })).toHaveLength(1);
  }
  expect((await read({ ...least, RUNTIME: 'command', ENTRYPOINT: '/bin/true ..' })).entrypoint).toBe(
    '/bin/true ..',
  );
});

test('IS_SCHEDULED=true means scheduled', async () => {
  expect((await read({ ...least, BOT_TYPE: 'realtime', IS_SCHEDULED: 'true' })).botType).toBe('scheduled');
  expect((await read({ ...least, BOT_TYPE: 'realtime', IS_SCHEDULED: 'false' })).botType).toBe('realtime');
});

test.each<[Role, string[]]>([
  ['execute', ['BOT_ID', 'RUNTIME', 'ENTRYPOINT', 'no store']],
  ['execute-without-sync', ['BOT_ID', 'RUNTIME', 'ENTRYPOINT']],
  ['query-server', ['BOT_ID', 'RUNTIME', 'QUERY_ENTRYPOINT']],
  ['daemon', ['BOT_ID', 'no store']],
  ['operator', ['no store']],
])('%s requires %j', async (role, names) => {
  const problems = await problemsOf({}, { role });
  expect(problems.map((line) => names.find((name) => line.startsWith(name)))).toEqual(names);
});

test('whose code and state others pull needs no store; an ephemeral query pulls them itself', async () => {
  const env = { ...least, STORE_URL: undefined, QUERY_ENTRYPOINT: 'query.py', CODE_FILE: 'bot.zip' };
  expect((await read(env, { role: 'query-server' })).store).toEqual({ type: 'none' });
  expect((await read(env, { role: 'execute-without-sync' })).store).toEqual({ type: 'none' });
  expect(await problemsOf({ ...env, QUERY_PATH: '/a' }, { role: 'execute-without-sync' })).toHaveLength(1);
});

test('an ephemeral query needs one of the two entrypoints', async () => {
  const env = { ...least, ENTRYPOINT: undefined, QUERY_PATH: '/status' };
  expect(await problemsOf(env)).toHaveLength(1);
  expect(await problemsOf({ ...env, QUERY_ENTRYPOINT: 'query.py' })).toEqual([]);
});

test('QUERY_PARAMS is a JSON object', async () => {
  expect((await read({ ...least, QUERY_PARAMS: '{"a":[1]}' })).query.params).toEqual({ a: [1] });
  for (const QUERY_PARAMS of ['[]', 'null', '1', '{']) {
    expect(await problemsOf({ ...least, QUERY_PARAMS })).toHaveLength(1);
  }
});

test('BOT_USER: 1000:1000 as root, root itself only when asked for, another user only as root', async () => {
  expect((await read(least, { uid: 5 })).user).toBeUndefined();
  expect((await read({ ...least, BOT_USER: '7' })).user).toEqual({ uid: 7, gid: 7 });
  expect((await read({ ...least, BOT_USER: '7:8' })).user).toEqual({ uid: 7, gid: 8 });
  expect((await read({ ...least, BOT_USER: 'root' })).user).toEqual({ uid: 0, gid: 0 });
  expect((await read({ ...least, BOT_USER: 'none' })).user).toBeUndefined();
  expect((await read({ ...least, BOT_USER: '5' }, { uid: 5 })).user).toBeUndefined();
  expect(await problemsOf({ ...least, BOT_USER: '7' }, { uid: 5 })).toHaveLength(1);
  for (const BOT_USER of ['nobody', '-1', '1:', ':1', '4294967295']) {
    expect(await problemsOf({ ...least, BOT_USER })).toHaveLength(1);
  }
});

test('logs are text on a terminal', async () => {
  expect((await read(least, { isTTY: true })).log.format).toBe('text');
  expect((await read({ ...least, LOG_FORMAT: 'json' }, { isTTY: true })).log.format).toBe('json');
});

test('the configuration is frozen to the bottom', async () => {
  const config = await read({ ...least, QUERY_PARAMS: '{"a":{}}' });
  expect([config, config.sync, config.task.inputs, config.query.params.a].every(Object.isFrozen)).toBe(true);
});
