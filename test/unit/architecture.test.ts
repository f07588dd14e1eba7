import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { importCycles, importGraph } from '../support/source/importGraph.ts';
import { breach, law, rooms } from '../support/source/law.ts';

const root = join(import.meta.dirname, '../..');
const graph = importGraph();

test('imports point downwards only', () => {
  const breaches = [...graph].flatMap(([from, imports]) =>
    imports.flatMap((to) => {
      const why = breach(from, to);
      return why === undefined ? [] : [`src/${from} imports src/${to}: ${why}`];
    }),
  );
  expect(breaches).toEqual([]);
});

test.each([
  ['bot/code/pullCode.ts', 'agent/roles/pullBot.ts', 'bot does not see agent/roles'],
  ['bot/code/pullCode.ts', 'bot/state/format/head.ts', 'bot/state stands beside bot/code'],
  [
    'bot/state/read/readHead.ts',
    'bot/state/publish/capture.ts',
    'bot/state/publish stands above bot/state/read',
  ],
  [
    'agent/query/http/listen.ts',
    'agent/query/once/runQuery.ts',
    'agent/query/once stands above agent/query/http',
  ],
  ['base/errors.ts', 'base/command/command.ts', 'base/command stands above base/errors.ts'],
  ['attic/old.ts', 'base/errors.ts', 'attic is not a room of the law'],
])('negative control: %s may not import %s', (from, to, why) => {
  expect(breach(from, to)).toBe(why);
});

test('every import is of a file that is there, and no file imports itself by way of others', () => {
  for (const imports of graph.values()) for (const file of imports) expect(graph.has(file), file).toBe(true);
  expect(importCycles(graph)).toEqual([]);
  expect(
    importCycles(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual([['b', 'c']]);
});

test('every room of the law is there, and docs/architecture.md shows the law', () => {
  for (const room of rooms) expect(existsSync(join(root, 'src', room)), room).toBe(true);
  expect(readFileSync(join(root, 'docs/architecture.md'), 'utf8')).toContain(law.trim());
});

test('every room of more than three files says what it is for', () => {
  const silent = rooms.filter((room) => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => dirname(file) === room && file.endsWith('.ts'),
    );
    const says = (file: string) =>
      /^(\/\*\*| \*) The (room|ground floor)\b/m.test(readFileSync(join(root, 'src', file), 'utf8'));
    return files.length > 3 && !files.some(says);
  });
  expect(silent).toEqual([]);
});

const programs = readdirSync(join(root, 'src/programs'))
  .map((file) => file.replace('.ts', ''))
  .filter((name) => name !== 'commands');
const built = join(root, 'dist/.build/x64');

/** What the bundler says is in a program. */
function bundle(name: string): {
  readonly modules: string[];
  readonly packages: string[];
  readonly bytes: number;
} {
  const { inputs } = JSON.parse(readFileSync(join(built, `${name}.meta.json`), 'utf8')) as {
    inputs: Record<string, unknown>;
  };
  const paths = Object.keys(inputs);
  const packages = paths.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return {
    modules: paths.filter((path) => path.startsWith('src/')),
    packages: [...new Set(packages)].sort(),
    bytes: statSync(join(built, `${name}.cjs`)).size,
  };
}

/** What every container loads. */
test('the agent holds nothing that only others need, and stays small', () => {
  const { modules, packages, bytes } = bundle('agent');
  expect(modules.filter((path) => !/^src\/(programs\/agent|agent|bot|store|base)\b/.test(path))).toEqual([]);
  expect(packages).toEqual(['@noble/hashes', 'valibot']);
  expect(bytes).toBeLessThan(440_000);
});

test('each program is a bundle, and the first word of a command line names only programs that are there', () => {
  for (const name of programs) expect(bundle(name).bytes, name).toBeGreaterThan(0);
  const named = [...readFileSync(join(root, 'src/main.ts'), 'utf8').matchAll(/programs\/(\w+)\.ts/g)];
  expect(named.map(([, name]) => name).sort()).toEqual([...programs].sort());
});
