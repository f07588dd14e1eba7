import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type CaptureOptions, createCapture } from '../../../src/agent/supervisor/capture/createCapture.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { createLogger } from '../../../src/base/log.ts';
import { journalStart, type Position } from '../../../src/bot/logs/ship/position.ts';
import { readBatch } from '../../../src/bot/logs/ship/readBatch.ts';

export interface KeptLine {
  readonly timestamp: string;
  readonly stream: string;
  readonly message: string;
  readonly truncated?: boolean;
}

export const silent = createLogger({
  level: 'error',
  format: 'text',
  role: 'test',
  now: Date.now,
  write: () => undefined,
});

export function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'runtime-logs-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A container's output that is always read; what came is in `bytes`. */
export function collector() {
  const chunks: Buffer[] = [];
  const to = new PassThrough();
  to.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  return { to, bytes: () => Buffer.concat(chunks) };
}

/** The two ends of a real pipe. */
export function openPipe(dir: string) {
  const path = join(mkdtempSync(join(dir, 'pipe-')), 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** A real child whose output goes through a capture, by real pipes. */
export function captureChild(
  argv: readonly [string, ...string[]],
  options: Partial<CaptureOptions> & { dir: string },
) {
  const stdout = collector();
  const stderr = collector();
  const capture = createCapture({
    stdout: stdout.to,
    stderr: stderr.to,
    clock: systemClock,
    log: silent,
    ...options,
  });
  const pipes = [openPipe(options.dir), openPipe(options.dir)] as const;
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', pipes[0].writer, pipes[1].writer] });
  for (const { writer } of pipes) closeSync(writer);
  capture.attach('stdout', pipes[0].reader);
  capture.attach('stderr', pipes[1].reader);
  return { child, capture, stdout: stdout.bytes, stderr: stderr.bytes, exited: exitOf(child) };
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

/** Everything in the journal, as it would be shipped. */
export async function keptLines(dir: string, from: Position = journalStart): Promise<KeptLine[]> {
  const lines: KeptLine[] = [];
  for (let position = from; ; ) {
    const batch = await readBatch(dir, position, { maxBytes: 1 << 20 });
    if (!batch) return lines;
    const text = batch.tail.toString('utf8');
    lines.push(
      ...text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as KeptLine),
    );
    position = batch.position;
  }
}
