import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'minio';
import { expect, onTestFinished, test } from 'vitest';
import { collect } from '../support/collect.ts';
import { tarGz } from '../support/files/tarGz.ts';
import { newContainer, runRuntime } from '../support/process/executable.ts';
import { pythonWith } from '../support/process/pythonWith.ts';
import { type Minio, minioClient, minioEnv, startMinio } from '../support/store/minio.ts';

const root = join(import.meta.dirname, '../..');
const buckets = ['custom-bots', 'bot-state', 'bot-logs', 'query-results'] as const;

/** Two runs make a log of more than 5 MiB, which is put together from parts, and a state of more than one pack. */
const bot = `#!/bin/sh
set -e
mkdir -p "$STATE_DIR"
echo run >> "$STATE_DIR/runs"
head -c 3000000 /dev/urandom > "$STATE_DIR/noise"
head -c 4500000 /dev/urandom | base64
echo made of "$(cat "$INPUT")" > report.txt
`;
const query = `#!/bin/sh
printf '{"status":"ok","data":{"runs":%d}}' "$(wc -l < "$STATE_DIR/runs")" > /query/result.json
`;

/** A MinIO with the buckets that the recipe names, and a user whose only policy is the recipe's. */
async function asTheRecipeSays(): Promise<{ minio: Minio; own: Client; env: Record<string, string> }> {
  const page = await readFile(join(root, 'docs/recipes.md'), 'utf8');
  const policy = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)![1]!) as unknown;
  const minio = await startMinio();
  onTestFinished(minio.stop);
  for (const bucket of buckets) await minio.client.makeBucket(bucket);
  const rootKeys = { accessKey: minio.accessKey, secretKey: minio.secretKey };
  const user = { accessKey: 'my-bot-user', secretKey: 'my-bot-secret-0123456789' };
  await pythonWith('minio==7.2.20', 'minio-user.py', {
    endpoint: `127.0.0.1:${minio.port}`,
    root: rootKeys,
    user,
    policy,
  });
  const address = { ...minio, ...user };
  return { minio, own: minioClient(address), env: minioEnv(address) };
}

test('the policy of the recipe is enough for all that a bot does in its life', {
  timeout: 300_000,
}, async () => {
  const { minio, own, env } = await asTheRecipeSays();
  const code = await tarGz({ 'main.sh': bot, 'query.sh': query });
  await minio.client.putObject('custom-bots', 'my-bot/code.tar.gz', code, code.length);
  await minio.client.putObject('custom-bots', 'my-bot/in.txt', 'an input');
  const task = {
    inputs: [{ id: 'data', key: 'my-bot/in.txt' }],
    outputs: [{ id: 'report', path: 'report.txt', key: 'report.txt' }],
  };
  const life = {
    ...env,
    BOT_ID: 'my-bot',
    RUNTIME: 'command',
    CODE_FILE: 'my-bot/code.tar.gz',
    ENTRYPOINT: 'INPUT={data.path} sh main.sh',
    TASK: JSON.stringify(task),
    STATE_KEEP: '1',
    STATE_EXPORT: 'tar.gz',
  };
  const keys = async (bucket: string) =>
    (await collect(minio.client.listObjectsV2(bucket, '', true))).map(({ name }) => name as string);
  for (let run = 0; run < 3; run += 1) {
    const { code: exit, stderr } = await runRuntime(['execute'], { ...life, ...(await newContainer()).env });
    expect(exit, stderr).toBe(0);
    expect(stderr).not.toMatch(/denied|AccessDenied|403/i);
    // As a crash leaves it: an upload that was never finished. The next append takes it away, the last one leaves none.
    if (run > 1) continue;
    for (const key of await keys('bot-logs'))
      await minio.client.initiateNewMultipartUpload('bot-logs', key, {});
  }
  expect(await collect(minio.client.listIncompleteUploads('bot-logs', '', true))).toEqual([]);
  const asked = {
    ...life,
    ...(await newContainer()).env,
    TASK: undefined,
    ENTRYPOINT: undefined,
    QUERY_ENTRYPOINT: 'sh query.sh',
    QUERY_PATH: '/runs',
    QUERY_RESULT_KEY: 'my-bot/answer.json',
  };
  const answer = await runRuntime(['execute'], { ...asked, ENTRYPOINT: 'true' });
  expect([answer.code, answer.stdout], answer.stderr).toEqual([0, '{"status":"ok","data":{"runs":3}}\n']);
  for (const command of [
    ['doctor'],
    ['state', 'ls', 'my-bot'],
    ['state', 'verify', 'my-bot'],
    ['state', 'prune', 'my-bot'],
    ['logs', 'my-bot'],
  ]) {
    const { code: exit, stderr } = await runRuntime(command, { ...life, ...(await newContainer()).env });
    expect(exit, `${command.join(' ')}: ${stderr}`).toBe(0);
  }
  // What the life has left, by other keys; only what is a day old is pruned, so that its keys may delete is asked by hand.
  expect(await keys('query-results')).toEqual(['my-bot/answer.json']);
  expect(await keys('bot-state')).toEqual(
    expect.arrayContaining(['my-bot/head', 'my-bot/outputs/report.txt', 'my-bot/state.tar.gz']),
  );
  const logs = await collect(minio.client.listObjectsV2('bot-logs', '', true));
  expect(logs.reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(10 * 2 ** 20);
  await own.removeObject('bot-state', 'my-bot/state.tar.gz');
  expect(await keys('bot-state')).not.toContain('my-bot/state.tar.gz');
});

test('the policy of the recipe opens nothing of another bot, and no key that the bot does not need', {
  timeout: 300_000,
}, async () => {
  const { minio, own } = await asTheRecipeSays();
  const others = [
    ['custom-bots', 'other/code.tar.gz'],
    ['custom-bots', 'my-bot-2/code.tar.gz'],
    ['bot-state', 'other/head'],
    ['bot-state', 'my-bot-2/head'],
    ['bot-state', 'my-bot'],
    ['bot-logs', 'logs/other/20261127.log'],
    ['bot-logs', 'my-bot/20261127.log'],
    ['query-results', 'other/answer.json'],
  ] as const;
  const attempts = (client: Client): [string, () => Promise<unknown>][] => [
    ...others.flatMap(([bucket, key]): [string, () => Promise<unknown>][] => [
      [`get ${bucket}/${key}`, async () => await collect(await client.getObject(bucket, key))],
      [`put ${bucket}/${key}`, () => client.putObject(bucket, key, 'worse')],
      [`delete ${bucket}/${key}`, () => client.removeObject(bucket, key)],
    ]),
    ['replace its own code', () => client.putObject('custom-bots', 'my-bot/code.tar.gz', 'worse')],
    ['list all code', () => collect(client.listObjectsV2('custom-bots', '', true))],
    ['list all state', () => collect(client.listObjectsV2('bot-state', '', true))],
    ["list another's state", () => collect(client.listObjectsV2('bot-state', 'other/', true))],
    ['list bots of its prefix', () => collect(client.listObjectsV2('bot-state', 'my-bot', true))],
    ["list another's logs", () => collect(client.listObjectsV2('bot-logs', 'logs/other/', true))],
    ['list all results', () => collect(client.listObjectsV2('query-results', '', true))],
    ['make a bucket', () => client.makeBucket('a-new-bucket')],
    ['remove a bucket', () => client.removeBucket('a-new-bucket')],
  ];
  const refused = async (client: Client, seed: boolean): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, attempt] of attempts(client)) {
      if (seed) for (const [bucket, key] of others) await minio.client.putObject(bucket, key, 'good');
      const error = await attempt().then(
        () => undefined,
        (reason: { code?: string }) => reason,
      );
      if (error?.code === 'AccessDenied') names.push(name);
      else if (error !== undefined) throw error;
    }
    return names;
  };
  // Negative control: every attempt is one that succeeds for whoever may.
  expect(await refused(minio.client, true)).toEqual([]);
  expect(await refused(own, true)).toEqual(attempts(own).map(([name]) => name));
  await own.putObject('bot-state', 'my-bot/head', 'its own');
});
