import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../files/temporary.ts';

const root = join(import.meta.dirname, '../../..');
const languages = join(root, 'scripts/languages');
const execute = promisify(execFile);

/** Of the languages whose bots are built from source: what `scripts/languages install` calls them. */
export type Language = 'rust' | 'cpp' | 'haskell' | 'scala' | 'csharp';

/** A copy of `examples/NAME` in a folder of its own, built as its `build` says. Installs the compiler where it is missing. */
export async function builtExample(name: string, language: Language): Promise<string> {
  return built([join(root, 'examples', name)], language);
}

/** The same for any folders, one copied over the other, that have a `build`. */
export async function built(sources: readonly string[], language: Language): Promise<string> {
  await execute(languages, ['install', language]);
  const folder = await temporaryDirectory();
  for (const source of sources) await cp(source, folder, { recursive: true });
  await execute(languages, ['run', join(folder, 'build')]);
  return folder;
}

/** Every file below a folder by its path there, as it goes into a code archive. */
export async function filesOf(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[relative(folder, path)] = await readFile(path);
  }
  return files;
}

/** Where `scripts/languages install csharp` puts .NET. */
export async function dotnetFolder(): Promise<string> {
  await execute(languages, ['install', 'csharp']);
  return (await execute(languages, ['dotnet'])).stdout.trim();
}
