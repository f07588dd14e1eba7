import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCapture } from '../../src/agent/supervisor/capture/createCapture.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createShipper } from '../../src/bot/logs/ship/createShipper.ts';
import { watchRotation } from '../../src/bot/logs/ship/watchRotation.ts';
import { openFileStore } from '../../src/store/file/file.ts';
import { exitOf, openPipe, silent, temporaryDirectory } from '../../test/support/process/captureChild.ts';

/**
 * What logs cost: a child writes lines as fast as it can through a real pipe, the container's stdout is a file, and
 * capture has a process of its own, as the supervisor is. `scripts/bench logs`.
 */
interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
  /** Anonymous memory before and after, MiB. */
  readonly before: number;
  readonly after: number;
}

function anonymousMiB(): number {
  const [, kilobytes = '0'] = /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

async function captureHere(dir: string, megabytes: number, lineBytes: number): Promise<Figures> {
  const program = `import os
buffer = (b'x' * ${lineBytes - 1} + b'\\n') * max(1, 65536 // ${lineBytes})
for _ in range(${megabytes} * 1000000 // len(buffer)): os.write(1, buffer)`;
  const { stdout, stderr } = process;
  const capture = createCapture({ dir, stdout, stderr, clock: systemClock, log: silent, holdMs: 0 });
  const before = anonymousMiB();
  const { reader, writer } = openPipe(dir);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const child = spawn('/usr/bin/python3', ['-c', program], { stdio: ['ignore', writer, 'inherit'] });
  closeSync(writer);
  capture.attach('stdout', reader);
  await exitOf(child);
  const { bytes } = await capture.close();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    megabytes: bytes / 1e6,
    before,
    after: anonymousMiB(),
  };
}

async function captureInChild(megabytes: number, lineBytes: number): Promise<Figures> {
  using dir = temporaryDirectory();
  const output = join(tmpdir(), `bench-logs-${process.pid}`);
  const fd = openSync(output, 'w');
  const arguments_ = [import.meta.filename, dir.path, String(megabytes), String(lineBytes)];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', fd, 'inherit', 'pipe'] });
  closeSync(fd);
  let text = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await exitOf(child);
  rmSync(output);
  return JSON.parse(text) as Figures;
}

/** Capture in a child, shipping here, on the embedded store; the bot is held back as it would be. */
async function shipAll(lines: number): Promise<string> {
  using dir = temporaryDirectory();
  using root = temporaryDirectory();
  const store = openFileStore(root.path, 'bot-logs');
  const shipper = createShipper({ store, bot: 'bench', dir: dir.path });
  const { stdout, stderr } = process;
  const capture = createCapture({
    dir: dir.path,
    stdout: nowhere(stdout),
    stderr,
    clock: systemClock,
    log: silent,
  });
  let shipped = 0;
  const ship = async (final = false) => {
    const { lines: more } = await shipper.ship({ final });
    shipped += more;
  };
  const watcher = watchRotation(dir.path, () => void ship());
  const started = performance.now();
  const { reader, writer } = openPipe(dir.path);
  const child = spawn('/usr/bin/seq', ['-f', '%0100.0f', String(lines)], {
    stdio: ['ignore', writer, 'inherit'],
  });
  closeSync(writer);
  capture.attach('stdout', reader);
  await exitOf(child);
  const { heldMs, bytes } = await capture.close();
  watcher.close();
  await ship(true);
  const seconds = (performance.now() - started) / 1000;
  return `${shipped} of ${lines} lines, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s of output, held back ${heldMs} ms`;
}

function nowhere(like: NodeJS.WriteStream): NodeJS.WriteStream {
  return Object.assign(Object.create(like) as NodeJS.WriteStream, {
    write: (_: unknown, done: () => void) => {
      queueMicrotask(done);
      return true;
    },
  });
}

const [dir, megabytes, lineBytes] = process.argv.slice(2);
if (dir !== undefined) {
  writeSync(3, JSON.stringify(await captureHere(dir, Number(megabytes), Number(lineBytes))));
} else {
  for (const bytes of [1, 20, 100, 1000, 100_000]) {
    const { seconds, cpuSeconds, ...figures } = await captureInChild(bytes === 1 ? 300 : 1500, bytes);
    console.log(
      `capture, lines of ${bytes} bytes: ${(figures.megabytes / seconds).toFixed(0)} MB/s, ` +
        `${((cpuSeconds / figures.megabytes) * 150).toFixed(2)} cores at 150 MB/s, ` +
        `anonymous memory ${figures.before.toFixed(1)} → ${figures.after.toFixed(1)} MiB`,
    );
  }
  console.log(`capture and shipping together: ${await shipAll(2_000_000)}`);
}
