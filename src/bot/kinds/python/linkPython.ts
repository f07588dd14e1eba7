/**
 * One program of several Python files that share a namespace: each is a module to a linter, and its imports of the others go.
 * They stand in the order in which they need each other.
 */
export function linkPython(files: Readonly<Record<string, string>>): string {
  const names = Object.keys(files).join('|');
  const imports = new RegExp(`^from (${names}) import .*\n`, 'gm');
  return Object.values(files)
    .map((text) => text.replace(imports, ''))
    .join('\n');
}
