import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { InstanceSpec, Mount } from '../../../../../src/host/engine/engine.ts';
import { furnish } from '../../../../../src/host/gateway/workers/furnish.ts';

const mount = (target: string, path: string): Mount => ({
  target,
  readOnly: true,
  from: { type: 'folder', path },
});

function places() {
  const root = mkdtempSync(join(tmpdir(), 'furnish-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of ['code/deep', 'bot', 'secrets', 'bots/b'])
    mkdirSync(join(root, path), { recursive: true });
  const waiting = {
    user: { uid: 812_345, gid: 812_345 },
    mounts: [mount('/bot', join(root, 'bot')), mount('/run/secrets', join(root, 'secrets'))],
  } as unknown as InstanceSpec;
  const wanted = (...mounts: Mount[]) => ({ bot: 'b', mounts }) as unknown as InstanceSpec;
  return { root, waiting, wanted, at: (path: string) => join(root, path) };
}

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  'code is linked, not copied; a secret is copied for the worker alone, links stay links',
  async () => {
    const { waiting, wanted, at } = places();
    writeFileSync(at('code/main.js'), 'code');
    writeFileSync(at('code/deep/lib.js'), 'lib');
    chmodSync(at('code/main.js'), 0o444);
    symlinkSync('deep/lib.js', at('code/link'));
    writeFileSync(at('bots/b/key'), 'secret', { mode: 0o400 });
    await furnish(waiting, wanted(mount('/bot', at('code')), mount('/run/secrets/key', at('bots/b/key'))));
    expect(lstatSync(at('bot/main.js')).ino).toBe(lstatSync(at('code/main.js')).ino);
    expect(readFileSync(at('bot/deep/lib.js'), 'utf8')).toBe('lib');
    expect(readlinkSync(at('bot/link'))).toBe('deep/lib.js');
    const secret = lstatSync(at('secrets/key'));
    expect([readFileSync(at('secrets/key'), 'utf8'), secret.uid, secret.mode & 0o777]).toEqual([
      'secret',
      812_345,
      0o400,
    ]);
    // The bot's own stays as it is.
    expect(lstatSync(at('bots/b/key'))).toMatchObject({ uid: 0, nlink: 1 });
  },
);

test('too many files are refused, and others have their turn before', async () => {
  const { waiting, wanted, at } = places();
  for (let i = 0; i <= 5_000; i += 1) writeFileSync(at(`code/${i}`), '');
  let turns = 0;
  const others = setInterval(() => {
    turns += 1;
  }, 0);
  await expect(furnish(waiting, wanted(mount('/bot', at('code'))))).rejects.toMatchObject({
    code: 'refused',
  });
  clearInterval(others);
  expect(turns).toBeGreaterThan(0);
});
