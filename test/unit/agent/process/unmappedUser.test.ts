import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unmappedUser } from '../../../../src/agent/process/unmappedUser.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

async function namespace(uids: string, gids: string): Promise<string> {
  const proc = await temporaryDirectory();
  writeFileSync(join(proc, 'uid_map'), uids);
  writeFileSync(join(proc, 'gid_map'), gids);
  return proc;
}

const all = '         0          0 4294967295\n';
const one = '         0       1001          1\n';
const range = `${one}         1     100000      65536\n`;

test.each([
  ['no namespace of its own', all, all, true],
  ['a range of ids', range, range, true],
  ['one id, as without subuid', one, one, false],
  ['no such group', range, one, false],
])('%s', async (_, uids, gids, isThere) => {
  const problem = unmappedUser({ uid: 1000, gid: 1000 }, await namespace(uids, gids));
  if (isThere) expect(problem).toBeUndefined();
  else expect(problem).toMatchObject({ exitCode: 78, hint: expect.stringContaining('BOT_USER=none') });
});

test('a system that does not say it is believed', async () => {
  expect(unmappedUser({ uid: 1000, gid: 1000 }, await temporaryDirectory())).toBeUndefined();
});
