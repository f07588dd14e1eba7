import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { minifyPython } from '../../../scripts/minifyProgram.ts';

const folder = join(import.meta.dirname, '../../../src/bot/kinds/python');
const programs = readdirSync(folder).filter((name) => name.endsWith('.py'));

/** The syntax tree, docstrings left out. */
const tree = (source: string) =>
  execFileSync(
    '/usr/bin/python3',
    [
      '-c',
      `import ast, sys
class Strip(ast.NodeTransformer):
    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) else node
print(ast.dump(Strip().visit(ast.parse(sys.stdin.read()))))`,
    ],
    { input: source, encoding: 'utf8' },
  );

test.each(programs)('%s says the same without what is for people alone', (name) => {
  const source = readFileSync(join(folder, name), 'utf8');
  const minified = minifyPython(source);
  expect(tree(minified)).toBe(tree(source));
  expect(minified).not.toMatch(/^\s*(#|""")/m);
});

test('there are programs', () => {
  expect(programs.length).toBeGreaterThan(3);
});
