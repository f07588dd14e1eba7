import { execFileSync } from 'node:child_process';
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { Finding } from '../../../src/base/finding.ts';
import { containerBots } from '../../support/container/containerBots.ts';
import { canMount, mountTmpfs } from '../../support/container/mountTmpfs.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';
import { newContainer, runRuntime } from '../../support/process/executable.ts';
import { freePort } from '../../support/process/freePort.ts';

const minio = inject('minio');
const bots = await containerBots(minio);

async function environment() {
  const env = await bots.deploy({ kind: 'command', entrypoint: 'true', files: { a: '' } });
  const container = await newContainer();
  return { ...env, ...container.env, root: container.root };
}

async function examine(env: Record<string, string | undefined>, args: string[] = []) {
  const end = await runRuntime(['doctor', '--json', ...args], env);
  const report = JSON.parse(end.stdout) as { ok: boolean; exit: number; checks: Finding[] };
  expect(report.exit).toBe(end.code);
  return { ...end, report, failed: report.checks.filter(({ status }) => status === 'fail') };
}

const find = (checks: readonly Finding[], name: string) => checks.find(({ check }) => check === name);

test('a bot that can start: 0, a line a check, and nothing stays in the store', async () => {
  const { root: _, ...env } = await environment();
  const end = await runRuntime(['doctor'], env);
  expect(end.code).toBe(0);
  expect(end.stdout).toMatch(/^ok {4}configuration: /);
  for (const line of end.stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok {3}|warn) {1,2}[\w ]+: /);
  expect(end.stdout).toContain('honours If-Match');
  expect(end.stdout).not.toContain(minio.secretKey);
  expect(await bots.keys('bot-state', env.BOT_ID)).toEqual([]);
  expect(await bots.keys('bot-logs', `logs/${env.BOT_ID}`)).toEqual([]);
  expect((await runRuntime(['execute'], env)).code).toBe(0);
});

test.each<[string, number, string, Record<string, string | undefined>]>([
  ['no configuration', 78, 'configuration', { ENTRYPOINT: undefined }],
  ['no store', 69, 'store', { MINIO_ENDPOINT: '127.0.0.1:1', START_TIMEOUT: '0' }],
  ['wrong credentials', 69, 'bucket state', { MINIO_SECRET_KEY: 'not-the-secret-at-all' }],
  ['no code', 66, 'code', { CODE_FILE: 'not/there.zip' }],
  ['no word in front of the command', 127, 'kind', { WRAP: '["no-such-nice","-n","5"]' }],
  ['no interpreter', 127, 'kind', { RUNTIME: 'nodejs20', ENTRYPOINT: 'a', PATH: '/nonexistent' }],
])('%s: %i, as the start', async (_, code, check, change) => {
  const { root: __, ...rest } = await environment();
  const env = { ...rest, ...change };
  const { report, failed, stdout } = await examine(env);
  expect(report.ok).toBe(false);
  expect(failed[0]).toMatchObject({ check, exit: code });
  expect(stdout).not.toContain('not-the-secret-at-all');
  expect((await runRuntime(['execute'], env)).code).toBe(code);
});

test.each([
  ['an entrypoint that is not there', 127, 'no-such-bot'],
  ['a program for no system', 126, 'a'],
])('%s, where the code is in place: %i, as the start', async (_, code, ENTRYPOINT) => {
  const { root, ...rest } = await environment();
  const CODE_PATH = join(root, 'in-place');
  const env = { ...rest, CODE_FILE: undefined, CODE_PATH, RUNTIME: 'gcc13', ENTRYPOINT };
  await mkdir(CODE_PATH);
  await writeFile(join(CODE_PATH, 'a'), 'no program');
  const { failed, report } = await examine(env);
  expect(failed).toMatchObject([{ check: 'code', exit: code }]);
  expect((await runRuntime(['execute'], env)).code).toBe(report.exit);
});

test.runIf(canMount)('a program that cannot be made executable: 126, as the start', async () => {
  const { root, ...rest } = await environment();
  const CODE_PATH = join(root, 'in-place');
  const env = {
    ...rest,
    CODE_FILE: undefined,
    CODE_PATH,
    RUNTIME: 'gcc13',
    ENTRYPOINT: 'a',
    BOT_USER: 'none',
  };
  using code = mountTmpfs(CODE_PATH, 1024 * 1024);
  await writeFile(join(CODE_PATH, 'a'), '#!/bin/sh\n', { mode: 0o600 });
  // Negative control: one whose mode a start changes, and which this does not.
  expect((await examine(env)).failed).toEqual([]);
  expect((await stat(join(CODE_PATH, 'a'))).mode & 0o777).toBe(0o600);
  code.remount('noexec');
  expect((await examine(env)).failed).toMatchObject([
    { check: 'code', exit: 126, hint: expect.stringContaining('mounted noexec') },
  ]);
  expect((await runRuntime(['execute'], env)).code).toBe(126);
  await chmod(join(CODE_PATH, 'a'), 0o600);
  code.remount('exec,ro');
  expect((await examine(env)).failed).toMatchObject([{ check: 'code', exit: 126 }]);
  expect((await runRuntime(['execute'], env)).code).toBe(126);
});

test.runIf(canMount)('code that is there needs no room: 0, as the start', async () => {
  const { root, ...rest } = await environment();
  const CODE_PATH = join(root, 'in-place');
  const env = { ...rest, CODE_PATH, RUNTIME: 'gcc13', ENTRYPOINT: 'a', BOT_USER: 'none' };
  using code = mountTmpfs(CODE_PATH, 1024 * 1024);
  await writeFile(join(CODE_PATH, 'a'), '#!/bin/sh\n', { mode: 0o755 });
  code.remount('ro');
  const start = async (change: Record<string, string | undefined>) => {
    const { report } = await examine({ ...env, ...change });
    expect((await runRuntime(['execute'], { ...env, ...change })).code).toBe(report.exit);
    return report.exit;
  };
  expect(await start({ CODE_FILE: undefined })).toBe(0);
  // An archive has to be unpacked there, and another user has to be given it.
  expect(await start({})).not.toBe(0);
  expect(await start({ CODE_FILE: undefined, BOT_USER: undefined })).toBe(process.getuid?.() === 0 ? 78 : 0);
});

test.each([
  ['a folder', 'mkdir', 'is not a file'],
  ['no program', 'touch', 'is not executable'],
])('an interpreter that is %s: 126, as the start', async (_, make, message) => {
  const { root, ...rest } = await environment();
  await mkdir(join(root, 'bin'));
  execFileSync(make, [join(root, 'bin/node')]);
  const env = { ...rest, RUNTIME: 'nodejs20', ENTRYPOINT: 'a', PATH: join(root, 'bin') };
  const { failed } = await examine(env);
  expect(failed).toMatchObject([{ check: 'kind', exit: 126, message: expect.stringContaining(message) }]);
  expect((await runRuntime(['execute'], env)).code).toBe(126);
});

test('a path that cannot be created: 78, as the start', async () => {
  const { root, ...rest } = await environment();
  await writeFile(join(root, 'file'), '');
  const env = { ...rest, STATE_PATH: join(root, 'file', 'state') };
  const { report, failed } = await examine(env);
  expect(failed).toMatchObject([{ check: 'STATE_PATH', exit: 78 }]);
  expect(report.exit).toBe(78);
  expect((await runRuntime(['execute'], env)).code).toBe(78);
});

test.runIf(process.getuid?.() === 0)(
  'as root: what the bot’s user cannot reach, and what it can read',
  async () => {
    const { root, BOT_USER: _, ...env } = (await environment()) as Record<string, string>;
    const closed = join(root ?? '', 'closed');
    await mkdir(closed, { mode: 0o700 });
    const { report } = await examine({ ...env, STATE_PATH: join(closed, 'state') });
    expect(find(report.checks, 'STATE_PATH')).toMatchObject({ status: 'fail', exit: 78 });
    expect(find(report.checks, 'credentials')).toMatchObject({ status: 'ok' });

    const open = await temporaryDirectory();
    await chmod(open, 0o755);
    const secret = join(open, 'key');
    const { MINIO_SECRET_KEY: key = '', ...others } = env;
    await writeFile(secret, key, { mode: 0o444 });
    const told = async () =>
      find(
        (await examine({ ...others, MINIO_SECRET_KEY_FILE: secret })).report.checks,
        'MINIO_SECRET_KEY_FILE',
      );
    expect(await told()).toMatchObject({ status: 'warn' });
    await chmod(secret, 0o400);
    expect(await told()).toMatchObject({ status: 'ok' });
  },
);

test('a port that somebody has: 78', async () => {
  const { root: _, ...env } = await environment();
  const server = createServer().listen(await freePort());
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as { port: number };
    const realtime = { BOT_TYPE: 'realtime', QUERY_ENTRYPOINT: 'true' };
    const taken = await examine({ ...env, ...realtime, QUERY_PORT: String(port) });
    expect(find(taken.report.checks, 'query port')).toMatchObject({ status: 'fail', exit: 78 });
    const free = await examine({ ...env, ...realtime, QUERY_PORT: String(await freePort()) });
    expect(find(free.report.checks, 'query port')).toMatchObject({ status: 'ok' });
  } finally {
    server.close();
  }
});

test('doctor DIR looks at the bot in that directory, and writes only below .runtime', async () => {
  const dir = await temporaryDirectory();
  const bot = join(dir, 'mine');
  expect((await runRuntime(['init', bot, '--kind', 'command'], {})).code).toBe(0);
  const { report } = await examine({ BOT_USER: 'none' }, [bot]);
  expect(report).toMatchObject({ ok: true, exit: 0 });
  expect(find(report.checks, 'configuration')?.message).toContain('mine');
  expect(find(report.checks, 'store')?.message).toContain('.runtime/store');
});

test('an interpreter is named with its version', async () => {
  const { root, ...env } = await environment();
  const bin = join(root, 'bin');
  await mkdir(bin);
  await symlink(process.execPath, join(bin, 'node'));
  const { report } = await examine({
    ...env,
    RUNTIME: 'nodejs20',
    ENTRYPOINT: 'a',
    PATH: `${bin}:/usr/bin:/bin`,
  });
  expect(find(report.checks, 'kind')?.message).toBe(`nodejs20: ${join(bin, 'node')}, ${process.version}`);
});
