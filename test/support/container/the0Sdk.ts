import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const version = '0.4.0';

/** The folder with the published Python SDK, unmodified; installed from PyPI the first time and kept. */
export async function the0Sdk(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'runtime');
  const folder = join(cache, `the0-sdk-${version}`);
  if (await isThere(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', work, `the0-sdk==${version}`];
    await promisify(execFile)('python3', pip);
    // Visible only when complete; another test file may have been faster.
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** Its modules as they lie in a bot's `vendor/`, by path. */
export async function vendoredSdk(): Promise<Record<string, string>> {
  const folder = join(await the0Sdk(), 'the0');
  const files: Record<string, string> = {};
  for (const name of await readdir(folder))
    if (name.endsWith('.py')) files[`vendor/the0/${name}`] = await readFile(join(folder, name), 'utf8');
  return files;
}

function isThere(folder: string): Promise<boolean> {
  return readdir(join(folder, 'the0')).then(
    () => true,
    () => false,
  );
}
