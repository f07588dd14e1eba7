import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { StateContext } from '../format/context.ts';
import { keys } from '../format/format.ts';
import { exportTar } from '../read/exportTar.ts';

/** Keeps `<bot>/state.tar.gz` current for readers of the older format. The archive passes through a file: puts need its size. */
export async function publishExport(context: StateContext, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'state-export-'));
  try {
    const path = join(folder, 'state.tar.gz');
    const output = createWriteStream(path);
    await exportTar(context, { sequence: undefined, output, gzip: true, signal });
    output.end();
    await finished(output);
    const body = { size: statSync(path).size, open: () => createReadStream(path) };
    await context.store.put(keys.legacy(context.bot), body, { signal, contentType: 'application/gzip' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
