import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A folder of `examples/`: its files as text, by path there. */
export type Example = Readonly<Record<string, string>>;

/** These folders of `examples/`, without what their `build` has made. */
export function readExamples(root: string, names: readonly string[]): Readonly<Record<string, Example>> {
  return Object.fromEntries(names.map((name) => [name, readExample(join(root, name))]));
}

function readExample(folder: string): Example {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const made = entries.includes('.gitignore')
    ? readFileSync(join(folder, '.gitignore'), 'utf8').split('\n').filter(Boolean)
    : [];
  const isMade = (path: string) =>
    ['.runtime/', '__pycache__/', ...made].some((name) =>
      name.endsWith('/') ? path.startsWith(name) || path.includes(`/${name}`) : path === name,
    );
  const files = entries.filter((path) => !isMade(path));
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}
