import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { pythonWith } from '../support/process/pythonWith.ts';
import { supervised } from '../support/process/supervised.ts';
import { readSaved } from '../support/store/readSaved.ts';

const policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] }],
};
const counts = `
trap 'exit 0' TERM; i=0; echo up
while :; do i=$((i+1)); echo $i > version; sleep 0.2; done`;

test('a Secret of Kubernetes’ is replaced while the bot runs: it goes on being saved with the new key', {
  timeout: 180_000,
}, async () => {
  const minio = inject('minio');
  const accessKey = `rotated-${process.pid}-${Date.now()}`;
  const allow = (secretKey: string) =>
    pythonWith('minio==7.2.20', 'minio-user.py', {
      endpoint: `127.0.0.1:${minio.port}`,
      root: { accessKey: minio.accessKey, secretKey: minio.secretKey },
      user: { accessKey, secretKey },
      policy,
    });
  const bot = await supervised(counts);
  // As the kubelet does it: the files are links through `..data`, which is replaced at once.
  const mount = join(bot.container.root, 'secret');
  const put = (version: string, secretKey: string) => {
    mkdirSync(join(mount, version), { recursive: true });
    writeFileSync(join(mount, version, 'secret-key'), `${secretKey}\n`);
    symlinkSync(version, join(mount, '..new'));
    renameSync(join(mount, '..new'), join(mount, '..data'));
  };
  put('..1', 'the-first-secret-of-it');
  symlinkSync('..data/secret-key', join(mount, 'secret-key'));
  await allow('the-first-secret-of-it');
  const run = bot.start({
    MINIO_ACCESS_KEY: accessKey,
    MINIO_SECRET_KEY: '',
    MINIO_SECRET_KEY_FILE: join(mount, 'secret-key'),
    SYNC_INTERVAL: '300ms',
    SYNC_ON_CHANGE: '0',
  });
  await run.prints('up');
  const saved = async () => Number(await readSaved(minio, bot.env.BOT_ID!, 'version')) || 0;
  await expect.poll(saved, { timeout: 60_000 }).toBeGreaterThan(0);
  put('..2', 'the-second-secret-of-it');
  await allow('the-second-secret-of-it');
  const then = await saved();
  await expect.poll(saved, { timeout: 60_000 }).toBeGreaterThan(then + 5);
  run.child.kill('SIGTERM');
  const end = await run.finished;
  expect(end.code, end.stderr).toBe(0);
});
