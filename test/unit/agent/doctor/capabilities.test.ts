import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { examineCapabilities } from '../../../../src/agent/doctor/capabilities.ts';
import type { Capability } from '../../../../src/agent/process/capabilities.ts';
import type { Config } from '../../../../src/bot/config/config.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

async function places(owner: number) {
  const root = await temporaryDirectory();
  for (const name of ['code', 'state', 'around/logs']) mkdirSync(join(root, name), { recursive: true });
  for (const name of ['code', 'state']) chownSync(join(root, name), owner, owner);
  const paths = { code: join(root, 'code'), state: join(root, 'state'), logs: join(root, 'around/logs') };
  return paths as Config['paths'];
}
const user = { uid: 1000, gid: 1000 };
const none = { file: undefined } as Config['code'];
const archive = { file: 'bot.zip' } as Config['code'];
const asRoot = process.getuid?.() === 0;

test.runIf(asRoot).each<[string, readonly Capability[], Config['code'], number, string]>([
  ['all there', [], archive, 0, 'ok'],
  ['FOWNER is done without', ['FOWNER'], archive, 0, 'ok'],
  ['CHOWN, and code to unpack', ['CHOWN'], archive, 1000, 'fail'],
  ['CHOWN, and everything belongs already', ['CHOWN'], none, 1000, 'warn'],
  ['CHOWN, and the state is not the bot’s', ['CHOWN'], none, 0, 'fail'],
  ['SETUID', ['SETUID'], none, 1000, 'fail'],
])('%s', async (_what, lacked, code, owner, status) => {
  const paths = await places(owner);
  expect(examineCapabilities({ user, paths, code }, lacked)).toMatchObject([{ status }]);
});

test.runIf(asRoot)('what is open to everybody cannot be closed without CHOWN and FOWNER', async () => {
  const paths = await places(1000);
  chmodSync(paths.state, 0o777);
  const found = examineCapabilities({ user, paths, code: none }, ['CHOWN', 'FOWNER']);
  expect(found).toMatchObject([
    { status: 'fail', message: expect.stringContaining('CAP_CHOWN, CAP_FOWNER') },
  ]);
});

test('nothing is needed for a bot that is who we are', async () => {
  const paths = await places(0);
  expect(examineCapabilities({ user: undefined, paths, code: archive }, ['SETUID'])).toEqual([]);
});
