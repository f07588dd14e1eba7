import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { invoke } from '../../support/process/invoke.ts';

/** What a real bash offers for the last of these words. */
async function complete(...words: string[]): Promise<string[]> {
  const { stdout: script } = await invoke(['completion', 'bash']);
  const driver = `eval "$SCRIPT"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _runtime; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, SCRIPT: script };
  const { stdout } = await promisify(execFile)('bash', ['-c', driver, 'bash', 'runtime', ...words], { env });
  return stdout.split('\n').filter(Boolean);
}

test('bash completes commands, flags and fixed values', async () => {
  expect(await complete('ver')).toEqual(['version']);
  expect(await complete('')).toEqual(expect.arrayContaining(['init', 'completion', 'version']));
  expect(await complete('version', '--')).toEqual(['--json', '--help']);
  expect(await complete('completion', 'z')).toEqual(['zsh']);
  expect(await complete('version', 'x')).toEqual([]);
});

test.each(['bash', 'zsh', 'fish'])('%s: the script names every command', async (shell) => {
  const { stdout } = await invoke(['completion', shell]);
  for (const name of ['init', 'completion', 'version', 'json']) expect(stdout).toContain(name);
});

test('an unknown shell is 64 with a suggestion', async () => {
  await expect(invoke(['completion', 'fich'])).rejects.toMatchObject({
    exitCode: 64,
    hint: 'did you mean fish? known: bash, zsh, fish',
  });
});
