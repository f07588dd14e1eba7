import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../../src/base/clock.ts';
import { openBucketLock } from '../../../../src/store/file/bucketLock.ts';

test('a lock keeps others out while its holder lives, and not a moment longer when it is killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'));
  const holder = fork(join(import.meta.dirname, 'lockHolder.ts'), [dir], { execArgv: [] });
  await once(holder, 'message');

  // Time that flies, so that the wait is over at once.
  const impatient: Clock = { now: () => 0, elapsed: () => 0, sleep: async () => {} };
  const waiting = openBucketLock(dir, impatient).run(() => 'mine');
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable', retryable: true });

  const patient = openBucketLock(dir, systemClock);
  const held = patient.run(() => 'mine');
  holder.kill('SIGKILL');
  expect(await held).toBe('mine');

  const aborted = AbortSignal.abort(new Error('enough'));
  expect(await patient.run(() => 'free again', aborted)).toBe('free again');
  patient.close();
  await rm(dir, { recursive: true });
});

test('what fails under the lock gives it back', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'));
  const lock = openBucketLock(dir, systemClock);
  const fail = () => {
    throw new Error('inside');
  };
  await expect(lock.run(fail)).rejects.toThrow('inside');
  const other = openBucketLock(dir, systemClock);
  expect(await other.run(() => 1)).toBe(1);
  lock.close();
  other.close();
  await rm(dir, { recursive: true });
});
