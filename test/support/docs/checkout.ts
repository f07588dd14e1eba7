import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { targetTag } from '../container/docker.ts';
import { executable } from '../process/executable.ts';

const root = join(import.meta.dirname, '../../..');

/**
 * Makes of an empty folder what a reader has in front of them: the scripts, the examples and the executable. The scripts are this
 * checkout's own; those that write to it get a place of this page's. Bots of the examples get names of this page's.
 */
export async function checkout(dir: string, own: { suffix: string; image: string }): Promise<void> {
  // Bots are other users.
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'scripts'));
  for (const entry of await readdir(join(root, 'scripts'), { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.includes('.')) continue;
    const path = join(dir, 'scripts', entry.name);
    await writeFile(path, script(entry.name, own.image));
    await chmod(path, 0o755);
  }
  await mkdir(join(dir, 'dist'));
  await symlink(executable, join(dir, 'dist/runtime'));
  await cp(join(root, 'examples'), join(dir, 'examples'), { recursive: true });
  for (const example of await readdir(join(dir, 'examples'), { withFileTypes: true })) {
    if (!example.isDirectory()) continue;
    const path = join(dir, 'examples', example.name, 'bot.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^name: .*/m, `$&-${own.suffix}`));
  }
}

function script(name: string, image: string): string {
  const run = `exec ${join(root, 'scripts', name)}`;
  if (name === 'release-gestalt') return `#!/bin/sh\n${run} --output "$PWD/dist/gestalt" "$@"\n`;
  if (name !== 'image') return `#!/bin/sh\n${run} "$@"\n`;
  // Every tag is this run's own, and those of targets are the ones of the tests beside it, which need not make them again.
  return `#!/bin/sh
case "$*" in
  '') ${run} ${image} ;;
  '--target '*) ${run} "$@" ${targetTag('$2')} ;;
  *) ${run} ${image}-"$(printf %s "$*" | tr -c a-z0-9. -)" ;;
esac
`;
}
