import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { bringDays } from '../../../../src/agent/ledger/days.ts';
import { openFileStore } from '../../../../src/store/file/file.ts';
import type { ObjectStore } from '../../../../src/store/objectStore.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test('a day that has no place here leaves nothing of the store open', async () => {
  const folder = await temporaryDirectory();
  const store = openFileStore(folder, 'bot-logs');
  await store.put('usage/b/20261127.ndjson', Buffer.from('{}\n'));
  const dir = join(folder, 'usage');
  const bodies: Readable[] = [];
  const get: ObjectStore['get'] = async (...args) => {
    const object = await store.get(...args);
    bodies.push(object.body);
    return object;
  };
  const bring = () => bringDays({ store: { ...store, get }, bot: 'b', dir }, {}, undefined);
  mkdirSync(join(dir, 'days', '20261127.ndjson.new'), { recursive: true });
  await expect(bring()).rejects.toMatchObject({ code: 'EISDIR' });
  expect(bodies.every((body) => body.destroyed)).toBe(true);
});
