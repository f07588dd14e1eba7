import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listSegments, openJournal, readJournal } from '../../../../src/agent/ledger/journal.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

test('a journal whose next segment cannot be made goes on once it can', async () => {
  const dir = await temporaryDirectory();
  const journal = await openJournal(dir, () => 0);
  const line = 'x'.repeat(63 * 1024);
  // More than one segment holds.
  const lines = Array.from({ length: 17 }, () => line);
  for (const each of lines) await journal.append(each);
  const next = join(dir, `${String(17 * (line.length + 1)).padStart(15, '0')}.ndjson`);
  mkdirSync(next);
  await expect(journal.append('lost')).rejects.toMatchObject({ code: 'EISDIR' });
  rmdirSync(next);
  await journal.append('kept');
  await journal.close();
  expect(listSegments(dir).map(({ path }) => path)).toContain(next);
  const read: string[] = [];
  for await (const { text } of readJournal(dir, 0)) read.push(text);
  expect(read).toEqual([...lines, 'kept']);
});
