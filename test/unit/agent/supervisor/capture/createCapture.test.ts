import { spawn } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCapture } from '../../../../../src/agent/supervisor/capture/createCapture.ts';
import { systemClock } from '../../../../../src/base/clock.ts';
import {
  captureChild,
  collector,
  exitOf,
  keptLines,
  openPipe,
  silent,
  temporaryDirectory,
} from '../../../../support/process/captureChild.ts';

const python = 'python3';

test('output passes through byte for byte, and each line is kept with its stream', async () => {
  using dir = temporaryDirectory();
  const bot = captureChild(
    ['/bin/sh', '-c', 'printf "one\\r\\n\\377\\376\\0 two\\n\\nlast"; printf "oops\\n" >&2'],
    { dir: dir.path },
  );
  await bot.exited;
  await bot.capture.close();
  expect(bot.stdout()).toEqual(Buffer.from('one\r\n\xff\xfe\0 two\n\nlast', 'latin1'));
  expect(bot.stderr().toString()).toBe('oops\n');
  const lines = await keptLines(dir.path);
  const of = (stream: string) => lines.filter((line) => line.stream === stream).map((line) => line.message);
  expect(of('stdout')).toEqual(['one', '\ufffd\ufffd\0 two', '', 'last']);
  expect(of('stderr')).toEqual(['oops']);
});

test('the capture time is that of the line, in UTC milliseconds', async () => {
  using dir = temporaryDirectory();
  const clock = { ...systemClock, now: () => Date.UTC(2026, 1, 3, 4, 5, 6, 789) };
  const bot = captureChild(['/bin/echo', 'hello'], { dir: dir.path, clock });
  await bot.exited;
  await bot.capture.close();
  expect(await keptLines(dir.path)).toEqual([
    { timestamp: '2026-02-03T04:05:06.789Z', stream: 'stdout', message: 'hello' },
  ]);
});

test('a line of 10 MiB among short ones stays one line', async () => {
  using dir = temporaryDirectory();
  const program = `import sys
w = sys.stdout.write
w('before\\n'); w('é' * (5 << 20)); w('\\n'); w('after\\n')`;
  const bot = captureChild([python, '-c', program], { dir: dir.path });
  await bot.exited;
  await bot.capture.close();
  const lines = await keptLines(dir.path);
  expect(lines.map((line) => line.message.length)).toEqual([6, 5 << 20, 5]);
  expect(lines[1]?.message === 'é'.repeat(5 << 20)).toBe(true);
});

test('a line over 16 MiB is cut there and marked; the next line is whole', async () => {
  using dir = temporaryDirectory();
  const program = `import sys
sys.stdout.write('x' * (16 << 20) + '\\n'); sys.stdout.write('y' * ((16 << 20) + 100_000) + '\\nnext\\n')`;
  // Larger than in life, so that all of it can be looked at.
  const bot = captureChild([python, '-c', program], { dir: dir.path, segmentBytes: 64 << 20 });
  await bot.exited;
  await bot.capture.close();
  expect(bot.stdout().length).toBe((32 << 20) + 100_007);
  expect((await keptLines(dir.path)).map(({ message, truncated }) => [message.length, truncated])).toEqual([
    [16 << 20, undefined],
    [16 << 20, true],
    [4, undefined],
  ]);
});

test('streams written in turns keep the order within each', async () => {
  using dir = temporaryDirectory();
  const program = `import os
for i in range(20000):
    os.write(1 + i % 2, b'%d\\n' % i)`;
  const bot = captureChild([python, '-c', program], { dir: dir.path });
  await bot.exited;
  await bot.capture.close();
  const lines = await keptLines(dir.path);
  for (const [stream, rest] of [
    ['stdout', 0],
    ['stderr', 1],
  ] as const) {
    const numbers = lines.filter((line) => line.stream === stream).map((line) => Number(line.message));
    expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, i) => 2 * i + rest));
  }
});

test('a grandchild that holds stdout open is not waited for', async () => {
  using dir = temporaryDirectory();
  const bot = captureChild(['/bin/sh', '-c', 'sleep 60 & echo $!; printf partial'], { dir: dir.path });
  await bot.exited;
  await bot.capture.close();
  const lines = await keptLines(dir.path);
  expect(lines.map((line) => line.message)).toEqual([expect.stringMatching(/^\d+$/), 'partial']);
  process.kill(Number(lines[0]?.message));
});

test("Node's own pipes can be captured as well", async () => {
  using dir = temporaryDirectory();
  const stdout = collector();
  const capture = createCapture({
    dir: dir.path,
    stdout: stdout.to,
    stderr: stdout.to,
    clock: systemClock,
    log: silent,
  });
  const child = spawn('/usr/bin/seq', ['100000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  capture.attach('stdout', child.stdout);
  await exitOf(child);
  await capture.close();
  expect(stdout.bytes().toString()).toBe(`${Array.from({ length: 100_000 }, (_, i) => i + 1).join('\n')}\n`);
  expect((await keptLines(dir.path)).length).toBe(100_000);
});

test('files stay within their bounds, and one line says how many lines are missing', async () => {
  using dir = temporaryDirectory();
  const segmentBytes = 1 << 20;
  const bot = captureChild(['/usr/bin/seq', '-f', '%0100.0f', '200000'], {
    dir: dir.path,
    segmentBytes,
    holdMs: 200,
  });
  await bot.exited;
  const { heldMs } = await bot.capture.close();
  expect(heldMs).toBeGreaterThanOrEqual(200);
  const sizes = readdirSync(dir.path)
    .filter((name) => name.endsWith('.journal'))
    .map((name) => statSync(join(dir.path, name)).size);
  expect(sizes.length).toBe(3);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(segmentBytes);
  const [note, ...lines] = await keptLines(dir.path);
  expect(note?.message).toBe(
    `runtime: ${200_000 - lines.length} earlier lines are missing here: the bot wrote faster than its logs could be shipped or kept`,
  );
  expect(lines.map((line) => Number(line.message))).toEqual(
    Array.from({ length: lines.length }, (_, i) => 200_000 - lines.length + 1 + i),
  );
});

/** A container's output that nobody reads yet: a real pipe. */
function stalledOutput(dir: string) {
  const { reader, writer } = openPipe(dir);
  const to = new Socket({ fd: writer, readable: false, writable: true });
  return {
    to,
    /** Everything up to the end, from now on. */
    read: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of new Socket({ fd: reader, readable: true, writable: false }))
        chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
  };
}

test('a container output that nobody reads holds the bot back for a while only; everything is kept', async () => {
  using dir = temporaryDirectory();
  const stalled = stalledOutput(dir.path);
  const bot = captureChild(['/usr/bin/seq', '300000'], {
    dir: dir.path,
    stdout: stalled.to,
    patienceMs: 200,
  });
  await bot.exited;
  const { leftOut, bytes } = await bot.capture.close();
  expect((await keptLines(dir.path)).length).toBe(300_000);
  const reading = stalled.read();
  stalled.to.end();
  const seen = await reading;
  expect(leftOut).toBeGreaterThan(0);
  expect(seen.length).toBe(bytes - leftOut);
  expect(seen).toBe(
    Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`)
      .join('')
      .slice(0, seen.length),
  );
});

test('once somebody reads again, output goes on with a whole line', async () => {
  using dir = temporaryDirectory();
  const stalled = stalledOutput(dir.path);
  const program = `import os, sys, time
for i in range(100000): print('line %d' % i)
sys.stdout.flush()
while not os.path.exists(sys.argv[1]): time.sleep(0.01)
print('again'); print('and again')`;
  const again = join(dir.path, 'again');
  const bot = captureChild([python, '-c', program, again], {
    dir: dir.path,
    stdout: stalled.to,
    patienceMs: 100,
  });
  while (bot.capture.stats.bytes < 1_088_890) await systemClock.sleep(10);
  const reading = stalled.read();
  while (stalled.to.writableLength > 0) await systemClock.sleep(10);
  writeFileSync(again, '');
  await bot.exited;
  await bot.capture.close();
  stalled.to.end();
  const lines = (await reading).split('\n');
  expect(lines.slice(-2)).toEqual(['and again', '']);
  expect(lines.slice(0, -3).every((line) => /^line \d+$/.test(line))).toBe(true);
});

test('a container output that is read slowly gets everything, also after the end of the bot', async () => {
  using dir = temporaryDirectory();
  const stalled = stalledOutput(dir.path);
  const bot = captureChild(['/usr/bin/seq', '20000'], { dir: dir.path, stdout: stalled.to });
  await bot.exited;
  const closing = bot.capture.close();
  await systemClock.sleep(1_200);
  const reading = stalled.read();
  expect((await closing).leftOut).toBe(0);
  stalled.to.end();
  expect((await reading).length).toBe(108_894);
});

test('what a killed writer left is gone on with, at the same positions', async () => {
  using dir = temporaryDirectory();
  const first = captureChild(['/bin/echo', 'one'], { dir: dir.path });
  await first.exited;
  await first.capture.close();
  const [segment] = readdirSync(dir.path).filter((name) => name.endsWith('.journal'));
  // As a kill in the middle of a write leaves it.
  spawn('/bin/sh', ['-c', `printf torn >> "$0"`, join(dir.path, segment ?? '')]);
  while (statSync(join(dir.path, segment ?? '')).size < 24) await systemClock.sleep(5);
  const second = captureChild(['/bin/echo', 'two'], { dir: dir.path });
  await second.exited;
  await second.capture.close();
  expect((await keptLines(dir.path)).map((line) => line.message)).toEqual(['one', 'two']);
});
