import { expect, test } from 'vitest';
import { readBoxConfig } from '../../../src/box/boxConfig.ts';

const envOf = (env: Record<string, string>) => readBoxConfig({ BOX_TOKEN: 't', ...env }, '/tmp').env;

test('a command finds a home and a name where its user has none, and nothing of the box', () => {
  expect(envOf({})).toMatchObject({
    HOME: '/tmp',
    USER: 'user',
    LOGNAME: 'user',
    AGENT_WORKSPACE_ROOT: '/tmp',
  });
  expect(envOf({ USER: 'me', PATH: '/bin', A: 'b' })).toMatchObject({ USER: 'me', PATH: '/bin', A: 'b' });
  expect(Object.keys(envOf({ BOX_PORT: '1' })).filter((name) => name.startsWith('BOX_'))).toEqual([]);
});

test('what a box is not told, or wrongly, is said all at once', () => {
  const wrong = { BOX_TOKEN: '', BOX_PORT: 'x', BOX_WORKSPACE: '/nowhere' };
  let problems: readonly string[] = [];
  try {
    readBoxConfig(wrong, '/tmp');
  } catch (error) {
    ({ problems } = error as { problems: readonly string[] });
  }
  expect(problems.map((line) => line.split(/[ :]/)[0])).toEqual(['BOX_TOKEN', 'BOX_PORT', 'BOX_WORKSPACE']);
});
