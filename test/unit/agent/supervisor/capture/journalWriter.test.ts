import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../../../src/agent/supervisor/capture/journalWriter.ts';
import { watchRotation } from '../../../../../src/bot/logs/ship/watchRotation.ts';
import { temporaryDirectory } from '../../../../support/files/temporary.ts';
import { keptLines } from '../../../../support/process/captureChild.ts';
import { journalOf } from '../../../../support/store/journal.ts';

/** A file system of 2 MiB; undefined where we may not mount one. */
async function smallDisk(): Promise<string | undefined> {
  const dir = await temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [dir]));
  return dir;
}

test('a full disk costs lines, which are counted where they are missing, and nothing else', async ({
  skip,
}) => {
  const dir = await smallDisk();
  if (dir === undefined) return skip('mounting needs root');
  const journal = journalOf(dir);
  let next = 0;
  const write = (count: number) => {
    for (const end = next + count; next < end; next += 1)
      journal.write(`${String(next).padStart(99, '0')}\n`);
  };
  write(1000);
  const filler = join(dir, 'filler');
  expect(() => writeFileSync(filler, Buffer.alloc(4 << 20))).toThrow('ENOSPC');
  write(20_000);
  rmSync(filler);
  write(500);
  journal.close();
  const { refused } = journal;
  const lines = (await keptLines(dir)).map((line) => line.message);
  const gap = lines.findIndex((message) => message.startsWith('runtime:'));
  const missing = next - (lines.length - 1);
  expect(missing).toBeGreaterThan(1000);
  expect(refused).toBe(missing);
  expect(lines[gap]).toContain(`${missing} earlier lines are missing here`);
  expect(lines.slice(0, gap).map(Number)).toEqual(Array.from({ length: gap }, (_, i) => i));
  expect(lines.slice(gap + 1).map(Number)).toEqual(
    Array.from({ length: next - gap - missing }, (_, i) => gap + missing + i),
  );
});

test('a reader that waits for a full segment is woken', async () => {
  const dir = await temporaryDirectory();
  const journal = journalOf(dir, { segmentBytes: 1 << 20 });
  const woken = Promise.withResolvers<void>();
  const watcher = watchRotation(dir, woken.resolve);
  onTestFinished(() => watcher.close());
  journal.write('x\n'.repeat(300_000));
  await woken.promise;
});

test('a place that cannot be written is a configuration error that names the variable', async () => {
  const file = join(await temporaryDirectory(), 'file');
  writeFileSync(file, '');
  expect(() => openJournal({ dir: file, now: Date.now })).toThrow(
    expect.objectContaining({ exitCode: 78, hint: expect.stringContaining('LOGS_PATH') }),
  );
});
