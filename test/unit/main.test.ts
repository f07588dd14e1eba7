import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = join(import.meta.dirname, '../../src/main.ts');

async function runtime(...argv: string[]) {
  return node(main, ...argv);
}

async function node(...argv: string[]) {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

test('version, in words and as JSON, also as --version', async () => {
  const { stdout } = await runtime('version', '--json');
  expect(JSON.parse(stdout)).toEqual({ version: 'unknown', node: process.versions.node, commit: 'unknown' });
  expect(await runtime('--version')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^runtime unknown /),
  });
});

test('an error is told on stderr and decides the exit code', async () => {
  expect(await runtime('versoin')).toEqual({
    code: 64,
    stdout: '',
    stderr: 'runtime: unknown command "versoin"\nhint: did you mean version? see runtime --help\n',
  });
});

test.each(['constructor', '__proto__'])('%s, a word that every object has, is no command', async (word) => {
  const { code, stderr } = await runtime(word);
  expect(code).toBe(64);
  expect(stderr).toContain(`unknown command "${word}"`);
});

test.each([
  [['start', 'my-bot'], 'execute'],
  [['state', 'list', 'my-bot'], 'ls'],
  [['bots', 'pause', 'my-bot'], 'disable'],
])('%j: what other programs call it leads to what it is called here', async (argv, meant) => {
  const { code, stderr } = await runtime(...argv);
  expect(code).toBe(64);
  expect(stderr).toContain(`hint: did you mean ${meant}? see runtime`);
});

test('a defect outside of any promise is 70, and shows nothing but its message', async () => {
  const defect = `process.on('newListener', (name) => {
    if (name === 'uncaughtException') queueMicrotask(() => { throw Object.assign(new Error('boom'), { key: 'hush' }); });
  })`;
  const preload = `data:text/javascript,${encodeURIComponent(defect)}`;
  expect(await node('--import', preload, main, 'completion', 'bash')).toMatchObject({
    code: 70,
    stderr: 'runtime: boom\n',
  });
});

test('a reader that has gone is not an error, on stdout or stderr', async () => {
  const sh = (line: string) => promisify(execFile)('bash', ['-c', line, process.execPath, main]);
  expect(await sh('exec 3> >(exec true); sleep 0.2; "$0" "$1" --help >&3; echo $?')).toEqual({
    stdout: '0\n',
    stderr: '',
  });
  expect((await sh('exec 3> >(exec true); sleep 0.2; "$0" "$1" nothing 2>&3; echo $?')).stdout).toBe('64\n');
});

test('what was printed arrives whole, however slow the reader', async () => {
  const module = join(import.meta.dirname, '../../src/base/command/processSurroundings.ts');
  const program = `import { processSurroundings } from '${module}';
    const { surroundings, flush } = processSurroundings(process);
    surroundings.stdout.write('x'.repeat(1e6));
    if (process.argv[1] === 'flush') await flush();
    process.exit();`;
  const count = async (how: string) => {
    const line = '"$0" --input-type=module -e "$1" "$2" | (sleep 0.3; wc -c)';
    const { stdout } = await promisify(execFile)('bash', ['-c', line, process.execPath, program, how]);
    return Number(stdout);
  };
  expect(await count('flush')).toBe(1e6);
  expect(await count('negative control')).toBeLessThan(1e6);
});
