import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  describeExit,
  type Ending,
  writeExitRecord,
} from '../../../../../src/agent/supervisor/life/exitRecord.ts';
import { type ErrorCode, RuntimeError } from '../../../../../src/base/errors.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';

const bot = { code: 0, signal: null, oomKills: 0 } as const;
const ending: Ending = {
  bot,
  error: undefined,
  stateSaved: true,
  logsSaved: true,
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  endedAt: Date.UTC(2026, 0, 2, 3, 4, 6, 7),
};

test('a bot that ended well', () => {
  expect(describeExit(ending)).toEqual({
    source: 'bot',
    code: 0,
    signal: null,
    exit: 0,
    reason: 'the bot ended',
    startedAt: '2026-01-02T03:04:05.006Z',
    endedAt: '2026-01-02T03:04:06.007Z',
    stopped: false,
    stateSaved: true,
    logsSaved: true,
  });
});

test('its own code is the exit', () => {
  expect(describeExit({ ...ending, bot: { ...bot, code: 3 } })).toMatchObject({
    source: 'bot',
    code: 3,
    exit: 3,
    reason: 'the bot ended with code 3',
  });
});

test.each([
  ['SIGTERM', 143],
  ['SIGKILL', 137],
  ['SIGSEGV', 139],
  ['SIGINT', 130],
] as const)('%s is 128 and its number', (signal, exit) => {
  expect(describeExit({ ...ending, bot: { ...bot, code: null, signal } })).toMatchObject({
    source: 'bot',
    code: null,
    signal,
    exit,
    reason: `the bot was ended by ${signal}`,
  });
});

test.each([
  ['the bot itself', { code: null, signal: 'SIGKILL', oomKills: 1 }, 137, 'out of memory'],
  ['the program that its shell ran', { code: 137, signal: null, oomKills: 1 }, 137, 'out of memory'],
  [
    'one of its children',
    { code: 3, signal: null, oomKills: 1 },
    3,
    'out of memory: 1 process was killed; the bot ended with code 3',
  ],
  [
    'children, when it was stopped',
    { code: null, signal: 'SIGTERM', oomKills: 2 },
    143,
    'out of memory: 2 processes were killed; the bot was ended by SIGTERM',
  ],
] as const)('out of memory, which took %s, is said as such', (_who, killed, exit, reason) => {
  expect(describeExit({ ...ending, bot: killed })).toMatchObject({ exit, reason });
});

test('what was not saved because memory ran out says both', () => {
  const error = new RuntimeError('unsaved', 'not saved');
  expect(describeExit({ ...ending, error, bot: { ...bot, oomKills: 1 } })).toMatchObject({
    exit: 74,
    reason: 'not saved; out of memory: 1 process was killed',
  });
});

test.each<[ErrorCode, number]>([
  ['unsaved', 74],
  ['fenced', 75],
  ['config', 78],
  ['not-found', 66],
  ['damaged', 65],
  ['unavailable', 69],
  ['denied', 69],
  ['refused', 77],
  ['no-entrypoint', 127],
  ['not-executable', 126],
  ['interrupted', 143],
  ['internal', 70],
])("%s: %i wins over the bot's own code, which is kept", (code, exit) => {
  const error = new RuntimeError(code, 'so it is', { problems: ['first', 'second'] });
  expect(describeExit({ ...ending, bot: { ...bot, code: 9 }, error })).toMatchObject({
    source: 'runtime',
    code: 9,
    exit,
    reason: 'so it is; first; second',
  });
});

test('nothing of the bot ran', () => {
  const error = new RuntimeError('unavailable', 'no store');
  expect(describeExit({ ...ending, bot: undefined, error })).toMatchObject({
    code: null,
    signal: null,
    exit: 69,
  });
});

async function paths() {
  const root = await temporaryDirectory();
  const logs = join(root, 'logs');
  await mkdir(logs);
  const other = { code: '', state: '', stateDir: '', kinds: '' };
  return { root, paths: { ...other, logs, exitFile: join(root, 'exit.json'), doneFile: join(root, 'done') } };
}

test('`done` is for scheduled bots, and nothing half-written stays', async () => {
  const record = describeExit({ ...ending, bot: { ...bot, code: 4 } });
  const scheduled = await paths();
  writeExitRecord(scheduled.paths, 'scheduled', record);
  expect((await readdir(scheduled.root)).sort()).toEqual(['done', 'exit.json', 'logs']);
  expect(await readFile(scheduled.paths.doneFile, 'utf8')).toBe('4\n');
  expect(JSON.parse(await readFile(scheduled.paths.exitFile, 'utf8'))).toEqual(record);
  const realtime = await paths();
  writeExitRecord(realtime.paths, 'realtime', record);
  expect((await readdir(realtime.root)).sort()).toEqual(['exit.json', 'logs']);
});
