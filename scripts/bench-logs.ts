import { spawn } from 'node:child_process';
import { openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { openFileStore } from '../src/store/file.ts';
import { createCapture } from '../src/supervisor/capture/createCapture.ts';
import { openPipe, silent, temporaryDirectory } from '../test/support/captureChild.ts';

/**
 * What log capture costs: a child writes lines of 100 bytes as fast as it can through a real pipe, and the container's
 * stdout is a file. In a process of its own, as in the supervisor. `scripts/bench-logs.ts [MEGABYTES] [LINE_BYTES]`.
 */
const megabytes = Number(process.argv[2] ?? 2000);
const lineBytes = Number(process.argv[3] ?? 100);
const program = `import os
buffer = (b'x' * ${lineBytes - 1} + b'\\n') * max(1, 65536 // ${lineBytes})
for _ in range(${megabytes} * 1000000 // len(buffer)): os.write(1, buffer)`;

using dir = temporaryDirectory();
const output = join(tmpdir(), `bench-logs-${process.pid}`);
const child = spawn(process.execPath, [import.meta.filename, 'capture', dir.path, program], {
  stdio: ['ignore', openSync(output, 'w'), 'inherit'],
});
