import { expect, test } from 'vitest';
import { blocksOf, scriptOf } from '../../support/docs/page.ts';

const page = (language: string, ...lines: string[]) =>
  `Text.\n\`\`\`${language}\n${lines.join('\n')}\n\`\`\`\n`;

test('sh runs whole, console what follows a prompt, others are read', () => {
  expect(blocksOf(page('sh', 'a', 'b'))).toEqual([{ line: 2, commands: 'a\nb' }]);
  expect(blocksOf(page('console', '$ a', 'its output'))).toEqual([{ line: 2, commands: 'a' }]);
  expect(blocksOf(page('text', 'a') + page('yaml', 'a: 1'))).toEqual([]);
});

test('a fence that says nothing, or is left open, is an error', () => {
  expect(() => blocksOf(page('', 'a'))).toThrow('without a language');
  expect(() => blocksOf('```sh\na')).toThrow('not closed');
});

test('what cannot be run is left out, what is endless is stopped', () => {
  const rules = { isNotRun: (line: string) => line.startsWith('rm '), endless: [/--follow/] };
  const script = scriptOf([{ line: 7, commands: 'rm x\nlogs --follow\nls' }], rules);
  expect(script.endsWith("echo '## line 7'\n: not run\nstopped logs --follow\nls")).toBe(true);
});
