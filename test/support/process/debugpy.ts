import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const version = '1.8.22';

/** The folder with debugpy, unmodified; installed the first time and kept. */
export async function debugpyFolder(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'runtime');
  const folder = join(cache, `debugpy-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', work, `debugpy==${version}`];
    await promisify(execFile)('python3.11', pip);
    // Visible only when complete; another test file may have been faster.
    await rename(work, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}
