import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Guard, startGuard } from '../../../../../src/agent/supervisor/guard/guard.ts';

let dir: string;
let guard: Guard;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'guard '));
  guard = startGuard({ file: '/bin/true', args: [] });
});

afterEach(() => {
  guard.close();
  rmSync(dir, { recursive: true, force: true });
});

test('makes two FIFOs that every user may open, also where groups are told first', async () => {
  guard.add(2 ** 22 + 1);
  expect(await guard.makeFifos(dir)).toBe(true);
  for (const name of ['stdout', 'stderr']) {
    const stat = lstatSync(join(dir, name));
    expect(stat.isFIFO()).toBe(true);
    expect(stat.mode & 0o777).toBe(0o666);
  }
});

test('says so where they cannot be made', async () => {
  expect(await guard.makeFifos(join(dir, 'missing'))).toBe(false);
});

test.each(['relative', '/two\nlines'])(
  'a folder that would not be understood is not told: %j',
  async (folder) => {
    expect(await guard.makeFifos(folder)).toBe(false);
  },
);

test('a guard that has died makes none', async () => {
  process.kill(guard.pid!, 'SIGKILL');
  expect(await guard.makeFifos(dir)).toBe(false);
});
