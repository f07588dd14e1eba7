import { spawnSync } from 'node:child_process';
import { expect, inject, test } from 'vitest';
import { executable, startProgram } from '../../support/process/executable.ts';
import { supervised } from '../../support/process/supervised.ts';
import { readSaved } from '../../support/store/readSaved.ts';

/** A user namespace has a limit of its own on watches. */
const limited = (watches: number) => [
  'unshare',
  '--user',
  '--map-root-user',
  '/bin/sh',
  '-c',
  `echo ${watches} > /proc/sys/user/max_inotify_watches && exec "$0" "$@"`,
];
const canLimit = spawnSync(limited(1)[0]!, [...limited(1).slice(1), 'true']).status === 0;

test.runIf(canLimit).each([
  ['at the start', 2],
  ['later', 8],
])('no watches are left %s: one warning, and the state is saved every SYNC_INTERVAL', async (_, watches) => {
  const bot = await supervised(
    "trap 'i=$((i+1)); mkdir -p a/b/c/$i/e; echo $i > a/b/c/$i/e/f; echo $i > n; echo written $i' HUP; trap 'exit 0' TERM; i=0; echo up; while :; do sleep 0.05; done",
  );
  const command = [...limited(watches), executable, 'execute'];
  const run = startProgram(command, { ...bot.env, SYNC_INTERVAL: '1s', SYNC_ON_CHANGE: '200ms' });
  await run.prints('up');
  for (const i of [1, 2, 3]) {
    run.child.kill('SIGHUP');
    await run.prints(`written ${i}`);
    const saved = () => readSaved(inject('minio'), bot.env.BOT_ID!, `a/b/c/${i}/e/f`);
    await expect.poll(saved, { timeout: 20_000 }).toBe(`${i}\n`);
  }
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.finished;
  expect(code, stderr).toBe(0);
  expect(stderr.match(/changes are not watched/g)).toHaveLength(1);
  expect(stderr).not.toContain('started again');
});
