import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFileLock } from '../../../src/base/fileLock.ts';
import { canMount, mountTmpfs } from '../../support/container/mountTmpfs.ts';
import { temporaryDirectory } from '../../support/files/temporary.ts';

test.runIf(canMount)('on a disk that is full it says so, and with room it is taken', async () => {
  const dir = join(await temporaryDirectory(), 'small');
  using disk = mountTmpfs(dir, 64 * 1024);
  expect(() => writeFileSync(join(dir, 'fill'), Buffer.alloc(128 * 1024))).toThrow('ENOSPC');
  const lock = await openFileLock(join(dir, 'lock'));
  expect(() => lock.take()).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('the disk is full') }),
  );
  disk.resize(1024 * 1024);
  expect(lock.take()).toBe(true);
  lock.close();
});
