import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { download } from '../../../../src/bot/code/download.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test('the body of an archive is closed where its file cannot be made', async () => {
  const body = Readable.from(['bytes'], { objectMode: false });
  const get = async () => ({ key: 'code.zip', size: 5, etag: 'e', modified: 0, body });
  const options = { store: { get } as unknown as ObjectStore, key: 'code.zip', maxBytes: 100 };
  const file = join(await temporaryDirectory(), 'no folder', 'archive');
  await expect(download({ ...options, inMemoryBytes: 0, file })).rejects.toThrow('ENOENT');
  expect(body.destroyed).toBe(true);
});
