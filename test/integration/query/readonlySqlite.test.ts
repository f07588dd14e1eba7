import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { programUser } from '../../../src/agent/query/program/programUser.ts';
import { spawnProgram } from '../../../src/agent/query/program/spawnProgram.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { readonlyHelper } from '../../support/process/readonlyHelper.ts';

const BOT = { uid: 54321, gid: 54321 };
const isRoot = process.getuid?.() === 0;

/** Moves one from a to b as fast as it can, and then does as it is told. */
const BOT_PROGRAM = `
import os, sqlite3, sys, time
path, mode, fate = sys.argv[1:]
db = sqlite3.connect(path)
db.execute('PRAGMA journal_mode=' + mode)
db.execute('CREATE TABLE a (n)'), db.execute('CREATE TABLE b (n)')
db.execute('INSERT INTO a VALUES (1000000)'), db.execute('INSERT INTO b VALUES (0)')
db.commit()

def move():
    with db:
        db.execute('UPDATE a SET n = n - 1'), db.execute('UPDATE b SET n = n + 1')

for _ in range(10):
    move()
if fate == 'closes': db.close()
print('ready', flush=True)
if fate == 'dies': os.abort()
while fate == 'writes':
    move()
    time.sleep(0.001)
time.sleep(60)
`;

/** Sums and how much has been moved; of a bot that writes, until it has seen it write. */
const READS = `
import json, sqlite3, sys
path, fate = sys.argv[1:]

def read(name, uri):
    try:
        db = sqlite3.connect(name, uri=uri, timeout=30)
        look = lambda: db.execute('SELECT a.n + b.n, b.n FROM a, b').fetchone()
        seen = [look()]
        while fate == 'writes' and (len(seen) < 100 or seen[-1] == seen[0]): seen.append(look())
        return {'sums': sorted({sum for sum, _ in seen}), 'moved': seen[0][1]}
    except sqlite3.OperationalError as error:
        return str(error)

names = [(path, False), ('file:' + path + '?mode=ro', True), ('file:' + path + '?immutable=1', True)]
print(json.dumps([read(*name) for name in names[: 2 if fate == 'writes' else 3]]))
`;

async function protections(dir: string) {
  const helper = await readonlyHelper(dir);
  const hasLandlock = execFileSync(helper, ['--check']).toString().trim() !== '0';
  const wrapper = [helper, join(dir, 'state'), '--'];
  return [
    ...(hasLandlock ? [{ wrapper, user: isRoot ? BOT : undefined }] : []),
    ...(hasLandlock && isRoot ? [{ wrapper, user: programUser(BOT, true) }] : []),
    ...(isRoot ? [{ wrapper: [], user: programUser(BOT, false) }] : []),
  ];
}

/** What a query program sees with a plain connect, with `mode=ro` and with `immutable=1`, in each way that it is kept from writing. */
async function seen(mode: string, fate: string): Promise<unknown[][]> {
  const dir = await temporaryDirectory();
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'state'));
  if (isRoot) await chown(join(dir, 'state'), BOT.uid, BOT.gid);
  const path = join(dir, 'state', 'db');
  const ways = await protections(dir);
  await startBot([path, mode, fate]);
  const all: unknown[][] = [];
  for (const { wrapper, user } of ways) {
    const output = new PassThrough();
    const argv = [...wrapper, '/usr/bin/python3', '-c', READS, path, fate];
    const launch = { argv, env: { PATH: process.env.PATH ?? '' }, cwd: '/', control: undefined, user };
    await spawnProgram(launch, {}, output).exited;
    output.end();
    all.push(JSON.parse(await text(output)) as unknown[]);
  }
  return all;
}

async function startBot(args: readonly string[]): Promise<ChildProcess> {
  const bot = spawn('/usr/bin/python3', ['-c', BOT_PROGRAM, ...args], {
    ...(isRoot ? BOT : {}),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void bot.kill('SIGKILL'));
  await once(bot.stdout!, 'data');
  if (args.at(-1) === 'dies') await once(bot, 'exit');
  return bot;
}

const now = { sums: [1_000_000], moved: 10 };
const live = { sums: [1_000_000], moved: expect.any(Number) };

test.each(['WAL', 'DELETE'])('a query sees what the bot commits, while it does (%s)', async (mode) => {
  for (const views of await seen(mode, 'writes')) expect(views).toEqual([live, live]);
});

test.each([
  { mode: 'WAL', fate: 'keeps it open' },
  { mode: 'DELETE', fate: 'keeps it open' },
  { mode: 'DELETE', fate: 'closes' },
  { mode: 'WAL', fate: 'dies' },
  { mode: 'DELETE', fate: 'dies' },
])('a query sees what was committed last by a bot that $fate ($mode)', async ({ mode, fate }) => {
  for (const [plain, readOnly] of await seen(mode, fate)) {
    expect([plain, readOnly]).toEqual([now, now]);
  }
});

test('a database in WAL mode that the bot has closed can only be opened with immutable=1', async () => {
  const refused = expect.stringMatching(/readonly database|unable to open/);
  for (const views of await seen('WAL', 'closes')) expect(views).toEqual([refused, refused, now]);
});
