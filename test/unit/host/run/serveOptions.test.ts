import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serveSettings } from '../../../../src/host/run/serveOptions.ts';

const document = readFileSync(join(import.meta.dirname, '../../../../docs/sandboxes.md'), 'utf8');
const [, section = ''] = document.split('\n## Settings\n');
const [table = ''] = section.split('\n\nThe server');
/** Of a row that has two flags the second variable is shortened: `…_PORT`. */
const cells = table.split('\n').flatMap((row) => {
  const [, flags = '', variables = ''] = row.split('|');
  const names = [...variables.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return [...flags.matchAll(/`--([^`]+)`/g)].map(([, flag = ''], at) => [flag, names[at] ?? ''] as const);
});

test('docs/sandboxes.md lists exactly the settings that are read', () => {
  const documented = cells.map(([flag, variable]) => [flag, variable.replace('…', 'RUNTIME_SERVE')]);
  const real = Object.entries(serveSettings).map(([flag, { variable }]) => [flag, variable]);
  expect(documented).toEqual(real);
});
